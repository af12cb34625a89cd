"""Addresses of repositories."""

from pathlib import Path

import pytest

from autolog_core.artifacts import open_repository
from autolog_core.artifacts.locate import local_folder
from autolog_core.errors import InvalidArgument, NotSupported


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("/data/runs", "/data/runs"),
        ("runs", "runs"),
        ("/my project #1/what?", "/my project #1/what?"),
        ("/with%20percent", "/with%20percent"),
        ("file:///data/runs", "/data/runs"),
        ("file:/data/runs", "/data/runs"),
        ("FILE:///data/runs", "/data/runs"),
        ("file://localhost/data", "/data"),
        ("file:///with%20space%23", "/with space#"),
        ("file:///with%2520percent", "/with%20percent"),
    ],
)
def test_addresses_of_folders(uri, folder):
    assert local_folder(uri) == folder


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "  ",
        None,
        3,
        "file://",
        "file://host/share",
        "file:///a/../b",
        "file:///a/%2e%2e/b",
        "file:///a%2f..%2fb",
        "../a",
        "a\0b",
        "file:///a%00b",
        "file:///a?b",
        "file:///a#b",
    ],
)
def test_addresses_that_cannot_be_read(uri):
    with pytest.raises(InvalidArgument):
        open_repository(uri)


@pytest.mark.parametrize("scheme", ["s3", "gs", "http", "mlflow-artifacts", "dbfs", "runs"])
def test_other_schemes_name_what_is_served_and_no_credentials(scheme):
    with pytest.raises(NotSupported, match=r"file:///path") as caught:
        open_repository(f"{scheme}://user:password@place/path")
    assert scheme in str(caught.value)
    assert "password" not in str(caught.value)


def test_opening_makes_nothing(tmp_path):
    repository = open_repository(tmp_path / "new")
    assert repository.list() == []
    assert list(tmp_path.iterdir()) == []
    assert repository.uri == str(tmp_path / "new")


def test_both_addresses_of_a_folder_serve_the_same_files(tmp_path):
    folder = tmp_path / "with space"
    open_repository(str(folder)).write_bytes("a.txt", b"x")
    assert open_repository(folder.as_uri()).read_bytes("a.txt") == b"x"
    assert open_repository(Path(folder)).read_bytes("a.txt") == b"x"
