"""Weights as safetensors files, equal ones of several models stored once."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from autolog_core.models.tensors import FILE, RawTensor, SharedTensors, digest_of, write_tensors

WORDS = {"f8": "F64", "f4": "F32", "f2": "F16", "i8": "I64", "i1": "I8", "u1": "U8", "?": "BOOL"}


def raw(name: str, array: np.ndarray) -> RawTensor:
    array = np.asarray(array, order="C")
    data = memoryview(array.reshape(-1).view(np.uint8))
    return RawTensor(
        name, WORDS[array.dtype.str.lstrip("<|").replace("b1", "?")], array.shape, data
    )


def save(folder: Path, arrays: dict[str, np.ndarray], known: SharedTensors | None = None):
    folder.mkdir()
    places = write_tensors([raw(name, each) for name, each in arrays.items()], folder, known)
    if known is not None:
        known.add(folder, places.values())
    return places


def load(folder: Path, places) -> dict[str, np.ndarray]:
    files = {place.file: load_file(folder / place.file) for place in places.values()}
    return {name: files[place.file][place.name] for name, place in places.items()}


def disk(*folders: Path) -> int:
    told = {
        (s.st_dev, s.st_ino): s.st_size
        for folder in folders
        for s in (path.stat() for path in folder.iterdir())
    }
    return sum(told.values())


def layers(count: int = 10, changed: tuple[int, ...] = (), by: float = 1.0):
    rng = np.random.default_rng(0)
    made = {f"layer{i}": rng.random((100, 250)).astype("f4") for i in range(count)}
    return {name: each + by * (int(name[5:]) in changed) for name, each in made.items()}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(WORDS)),
            st.lists(st.integers(0, 4), max_size=3),
            st.integers(0, 2**32 - 1),
        ),
        max_size=8,
    )
)
def test_the_real_library_reads_what_was_written(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("any")
    arrays = {}
    for index, (dtype, shape, seed) in enumerate(parts):
        values = np.random.default_rng(seed).integers(0, 2, shape)
        arrays[f"t{index}"] = np.asarray(values, dtype)
    places = save(folder / "m", arrays)
    found = load_file(folder / "m" / FILE)
    assert {place.file for place in places.values()} <= {FILE}
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


def test_a_file_that_others_may_share_is_not_writable(tmp_path):
    save(tmp_path / "a", layers())
    assert (tmp_path / "a" / FILE).stat().st_mode & 0o222 == 0


def test_the_same_weights_are_stored_once(tmp_path):
    known = SharedTensors()
    save(tmp_path / "a", layers(), known)
    places = save(tmp_path / "b", layers(), known)
    assert os.path.samefile(tmp_path / "a" / FILE, tmp_path / "b" / FILE)
    assert {place.file for place in places.values()} == {FILE}


def test_unchanged_weights_are_stored_once(tmp_path):
    known = SharedTensors()
    folders = []
    for step in range(20):
        folders.append(tmp_path / str(step))
        arrays = layers(20, changed=(3,), by=step)
        places = save(folders[-1], arrays, known)
        found = load(folders[-1], places)
        assert all(np.array_equal(found[name], arrays[name]) for name in arrays)
    assert disk(*folders) < 2.0 * disk(folders[0])


def test_a_directory_outlives_the_one_it_shares_with(tmp_path):
    known = SharedTensors()
    save(tmp_path / "a", layers(), known)
    arrays = layers(changed=(1,))
    places = save(tmp_path / "b", arrays, known)
    for path in (tmp_path / "a").iterdir():
        path.unlink()
    found = load(tmp_path / "b", places)
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)
    # The first's file is found under the name that the second gave it.
    save(tmp_path / "c", layers(), known)
    assert os.path.samefile(tmp_path / "b" / "weights-1.safetensors", tmp_path / "c" / FILE)


def test_a_file_of_which_little_is_wanted_is_not_kept_alive(tmp_path):
    known = SharedTensors()
    save(tmp_path / "a", layers(), known)
    save(tmp_path / "b", layers(changed=tuple(range(6))), known)
    assert [path.name for path in (tmp_path / "b").iterdir()] == [FILE]
    assert (tmp_path / "b" / FILE).stat().st_nlink == 1


def test_tiny_weights_are_not_worth_a_link(tmp_path):
    known = SharedTensors()
    tiny = {"a": np.arange(10.0)}
    save(tmp_path / "a", tiny, known)
    save(tmp_path / "b", tiny, known)
    assert (tmp_path / "b" / FILE).stat().st_nlink == 1


def test_a_file_that_was_changed_is_not_shared(tmp_path):
    known = SharedTensors()
    save(tmp_path / "a", layers(), known)
    file = tmp_path / "a" / FILE
    file.chmod(0o644)
    file.write_bytes(b"\0" * file.stat().st_size)
    os.utime(file, ns=(1, 1))
    places = save(tmp_path / "b", layers(), known)
    found = load(tmp_path / "b", places)
    assert np.array_equal(found["layer0"], layers()["layer0"])


def test_a_name_may_mean_other_values_elsewhere(tmp_path):
    known = SharedTensors()
    first = layers(2)
    save(tmp_path / "a", first, known)
    swapped = {"layer0": first["layer1"], "layer1": first["layer0"]}
    places = save(tmp_path / "b", swapped, known)
    found = load(tmp_path / "b", places)
    assert all(np.array_equal(found[name], swapped[name]) for name in swapped)
    assert (tmp_path / "b" / places["layer0"].file).stat().st_nlink == 2


def test_progress_is_told_for_all_bytes(tmp_path):
    known = SharedTensors()
    save(tmp_path / "a", layers(), known)
    (tmp_path / "b").mkdir()
    told = []
    arrays = layers(changed=(1,))
    write_tensors([raw(n, a) for n, a in arrays.items()], tmp_path / "b", known, told.append)
    fresh = (tmp_path / "b" / "weights-2.safetensors").stat().st_size
    assert sum(told) == fresh + 9 * arrays["layer0"].nbytes


@given(st.binary(min_size=1, max_size=64), st.data())
def test_a_digest_tells_values_apart(values, data):
    one = RawTensor("a", "U8", (len(values),), memoryview(values))
    at = data.draw(st.integers(0, len(values) - 1))
    other = bytearray(values)
    other[at] ^= data.draw(st.integers(1, 255))
    assert digest_of(one) == digest_of(RawTensor("b", "U8", (len(values),), memoryview(values)))
    assert digest_of(one) != digest_of(RawTensor("a", "U8", (len(other),), memoryview(other)))
    assert digest_of(one) != digest_of(RawTensor("a", "I8", (len(values),), memoryview(values)))


def test_shapes_tell_weights_apart():
    values = memoryview(bytes(6))
    assert digest_of(RawTensor("a", "U8", (2, 3), values)) != digest_of(
        RawTensor("a", "U8", (3, 2), values)
    )


def test_no_tensors_are_a_file_too(tmp_path):
    assert save(tmp_path / "a", {}) == {}
    assert load_file(tmp_path / "a" / FILE) == {}


@pytest.mark.parametrize("wrong", [FileNotFoundError, PermissionError])
def test_where_links_are_refused_all_is_written(tmp_path, monkeypatch, wrong):
    def refuse(*args: object) -> None:
        raise wrong

    known = SharedTensors()
    save(tmp_path / "a", layers(), known)
    monkeypatch.setattr(os, "link", refuse)
    places = save(tmp_path / "b", layers(), known)
    assert np.array_equal(load(tmp_path / "b", places)["layer9"], layers()["layer9"])
