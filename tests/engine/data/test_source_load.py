"""Fetching what a source names."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from autolog_core.data import DatasetSource, resolve_source
from autolog_core.errors import InvalidArgument, NotFound, NotSupported, StorageError

NAMES = {
    "/plain/train.csv": None,
    "/named": 'attachment; filename="../../outside.csv"',
    "/": None,
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path not in NAMES:
            self.send_error(404 if self.path == "/gone" else 500)
            return
        self.send_response(200)
        given = NAMES[self.path]
        if given:
            self.send_header("Content-Disposition", given)
        self.end_headers()
        self.wfile.write(b"x,y\n1,2\n")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_local_data_stay_where_they_are_unless_a_folder_is_given(tmp_path: Path) -> None:
    file = tmp_path / "a b.csv"
    file.write_text("x")
    assert resolve_source(file).load() == str(file)
    assert resolve_source(file.as_uri()).load() == str(file)
    copied = Path(resolve_source(file).load(tmp_path / "new" / "folder"))
    assert copied == tmp_path / "new" / "folder" / "a b.csv"
    assert copied.read_text() == "x"
    folder = Path(resolve_source(tmp_path / "new").load(tmp_path / "other"))
    assert (folder / "folder" / "a b.csv").read_text() == "x"
    with pytest.raises(NotFound, match=r"nothing\.csv"):
        resolve_source(tmp_path / "nothing.csv").load()


@pytest.mark.parametrize(
    ("path", "name"),
    [("/plain/train.csv", "train.csv"), ("/named", "outside.csv"), ("/", "dataset_source")],
)
def test_data_of_the_web_are_downloaded(address: str, path: str, name: str, tmp_path: Path) -> None:
    place = tmp_path / "deep" / "folder"
    loaded = Path(resolve_source(address + path).load(place))
    assert loaded == place / name
    assert loaded.read_bytes() == b"x,y\n1,2\n"
    assert [each.name for each in place.iterdir()] == [name]
    assert not list(tmp_path.glob("*.csv"))


def test_without_a_folder_they_go_to_a_new_one(address: str) -> None:
    source = resolve_source(f"{address}/plain/train.csv")
    one, two = Path(source.load()), Path(source.load())
    assert one != two
    assert one.read_bytes() == two.read_bytes()
    for each in (one, two):
        each.unlink()
        each.parent.rmdir()


def test_what_cannot_be_fetched_says_why(address: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="404"):
        resolve_source(f"{address}/gone").load(tmp_path)
    with pytest.raises(StorageError, match="500"):
        resolve_source(f"{address}/broken").load(tmp_path)
    with pytest.raises(StorageError, match="cannot reach"):
        resolve_source("http://127.0.0.1:9/a").load(tmp_path)
    with pytest.raises(InvalidArgument, match="left out"):
        resolve_source(f"{address}/plain/train.csv?token=abc").load(tmp_path)
    with pytest.raises(InvalidArgument, match="http"):
        DatasetSource("http", {"url": "file:///etc/hostname"}).load(tmp_path)
    with pytest.raises(InvalidArgument, match="names no place"):
        DatasetSource("local", {}).load()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("source", "remedy"),
    [
        (DatasetSource("hugging_face", {"path": "org/x"}), "load_dataset"),
        (DatasetSource("spark", {"path": "x"}), "SparkSession"),
        (DatasetSource("delta_table", {"path": "x"}), "deltalake"),
        (DatasetSource("code"), "program"),
        (DatasetSource("s3", {"uri": "s3://bucket/x"}), "download_artifacts"),
    ],
)
def test_other_sources_name_the_call_that_fetches_them(source: DatasetSource, remedy: str) -> None:
    with pytest.raises(NotSupported, match=remedy):
        source.load()


def test_a_source_tells_its_place() -> None:
    assert resolve_source("data/a.csv").uri == "data/a.csv"
    assert resolve_source("https://example.org/a.csv").url == "https://example.org/a.csv"
    assert resolve_source().uri is None
