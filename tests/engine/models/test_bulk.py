"""Large files are written whole and as they were given, directly where that can be done."""

import errno
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autolog_core.models import bulk
from autolog_core.models.bulk import write_whole
from autolog_core.models.workshop import Workshop

RANDOM = np.random.default_rng(0).integers(0, 256, 3 * bulk._STAGE, dtype=np.uint8)
SIZES = st.one_of(
    st.integers(0, 3),
    st.integers(bulk._BLOCK - 2, bulk._BLOCK + 2),
    st.integers(0, 3 * bulk._BLOCK),
    st.integers(bulk._STAGE - 2, bulk._STAGE + 2),
    st.just(2 * bulk._STAGE),
)


def parts_of(sizes):
    found, start = [], 0
    for size in sizes:
        found.append(memoryview(RANDOM[start % 1000 : start % 1000 + size]))
        start += size
    return found


@pytest.mark.parametrize("large", [0, 2**60], ids=["directly", "in pieces"])
@settings(max_examples=40)
@given(sizes=st.lists(SIZES, max_size=5))
def test_a_file_holds_what_was_given(tmp_path_factory, large, sizes):
    file = tmp_path_factory.mktemp("bulk") / "file"
    parts, told = parts_of(sizes), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "_LARGE", large)
        write_whole(file, parts, told.append)
    assert file.read_bytes() == b"".join(parts)
    assert sum(told) == sum(sizes)


@pytest.mark.parametrize("where", ["open", "write", "last write"])
def test_a_file_system_that_does_not_write_directly_gets_pieces(tmp_path, monkeypatch, where):
    real_open, real_write = os.open, os.write

    def refuse_open(path, flags, mode=0o777):
        if flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, "no direct writing here")
        return real_open(path, flags, mode)

    def refuse_write(handle, data):
        ours = os.readlink(f"/proc/self/fd/{handle}") == str(tmp_path / "file")
        if ours and (where == "write" or len(data) < bulk._STAGE):
            raise OSError(errno.EINVAL, "no direct writing here")
        return real_write(handle, data)

    monkeypatch.setattr(bulk, "_LARGE", 0)
    name = where.split()[-1]
    monkeypatch.setattr(os, name, refuse_open if name == "open" else refuse_write)
    parts, told = parts_of([100, bulk._STAGE]), []
    write_whole(tmp_path / "file", parts, told.append)
    assert (tmp_path / "file").read_bytes() == b"".join(parts)
    # What was written directly before the refusal is written, and told, once more.
    assert sum(told) == 100 + bulk._STAGE * (2 if where == "last write" else 1)


def test_an_error_of_the_disk_arrives(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "_LARGE", 0)
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "file", parts_of([100]), lambda count: None)


def test_writing_rests_unless_somebody_waits():
    awaited, rests = True, []
    shop = Workshop(None, lambda: awaited)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autolog_core.models.workshop.time.sleep", rests.append)
        shop.breathe(10)
        assert rests == []
        awaited = False
        shop.breathe(5)
    assert len(rests) == 1
    assert shop.tally.done == 15
