"""The files of a model go without being seen half removed; what killed saves left goes too."""

import os

import pytest

from autolog_core.errors import NotSupported, StorageError
from autolog_core.models.directory import new_directory
from autolog_core.models.removal import discard, own_folder, remove_drafts, sizes_on_disk


def make(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"12345")
    return folder


def test_a_folder_goes_with_the_folder_of_its_id(tmp_path):
    model = make(tmp_path / "m-1" / "artifacts", "MLmodel", "data/w.bin")
    other = make(tmp_path / "m-2" / "artifacts", "MLmodel")
    discard(model)
    assert [each.name for each in tmp_path.iterdir()] == ["m-2"]
    discard(model)
    discard(tmp_path / "none" / "artifacts")
    assert (other / "MLmodel").exists()


def test_what_a_killed_removal_left_goes_and_nothing_else(tmp_path):
    home = tmp_path / "m-1"
    make(home / ".artifacts.0123456789ab.pruned", "MLmodel")
    make(home / ".artifacts.0123456789ab.partial", "MLmodel")
    make(home, "notes.txt", ".artifacts.txt", ".other.0123456789ab.pruned")
    discard(home / "artifacts")
    left = [".artifacts.0123456789ab.partial", ".artifacts.txt", ".other.0123456789ab.pruned"]
    assert sorted(each.name for each in home.iterdir()) == [*left, "notes.txt"]
    remove_drafts(home / "artifacts")
    assert sorted(each.name for each in home.iterdir()) == [*left[1:], "notes.txt"]
    remove_drafts(tmp_path / "m-none" / "artifacts")


def test_the_drafts_that_a_save_makes_are_the_ones_that_are_found(tmp_path):
    target = tmp_path / "m-1" / "artifacts"
    save = new_directory(target)
    draft = make(save.__enter__(), "half")
    remove_drafts(target)
    assert not draft.exists()
    with pytest.raises(StorageError):
        save.__exit__(None, None, None)
    with new_directory(target) as draft:
        make(draft, "whole")
    remove_drafts(target)
    assert (target / "whole").exists()


def test_a_folder_that_is_not_named_as_a_model_stays(tmp_path):
    discard(make(tmp_path / "mine" / "artifacts", "MLmodel"))
    assert list((tmp_path / "mine").iterdir()) == []


def test_only_a_folder_that_bears_the_id_of_its_model_is_a_models(tmp_path):
    assert own_folder(f"file://{tmp_path}/m-1/artifacts", "m-1") == tmp_path / "m-1" / "artifacts"
    for location in (str(tmp_path), f"{tmp_path}/m-2/artifacts", "s3://bucket/m-1/artifacts"):
        with pytest.raises(NotSupported):
            own_folder(location, "m-1")


def test_a_link_goes_and_not_what_it_leads_to(tmp_path):
    disk = make(tmp_path / "disk", "MLmodel")
    (tmp_path / "m-1").mkdir()
    (tmp_path / "m-1" / "artifacts").symlink_to(disk)
    discard(tmp_path / "m-1" / "artifacts")
    assert (disk / "MLmodel").exists()
    assert not (tmp_path / "m-1").exists()


def test_a_folder_that_cannot_be_removed_is_told(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "no", str(path))

    monkeypatch.setattr("shutil.rmtree", refuse)
    model = make(tmp_path / "m-1" / "artifacts", "MLmodel")
    with pytest.raises(PermissionError):
        discard(model)
    assert not model.exists()


def test_sizes_count_each_file_once(tmp_path):
    one, two = make(tmp_path / "one", "a", "b"), make(tmp_path / "two", "c")
    os.link(one / "a", two / "a")
    os.link(one / "a", one / "again")
    (one / "link").symlink_to(two / "c")
    sizes = {**sizes_on_disk(one), **sizes_on_disk(two)}
    assert sum(sizes.values()) == 15 + (one / "link").lstat().st_size
    assert sizes_on_disk(tmp_path / "none") == {}
