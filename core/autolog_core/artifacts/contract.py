"""Tests that every artifact repository passes.

A repository's own tests derive from `ArtifactRepositoryContract` and say how one is made::

    class TestLocalRepository(ArtifactRepositoryContract):
        def make(self, folder):
            return LocalRepository(folder / "root")
"""

from __future__ import annotations

import io
import os
import threading
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autolog_core.artifacts.base import ArtifactRepository
from autolog_core.entities import FileInfo
from autolog_core.errors import InvalidArgument, NotFound

LEADING_OUTSIDE = (
    "..",
    "../x",
    "a/../../x",
    "a/..",
    "/etc/passwd",
    "//etc/passwd",
    "%2e%2e/x",
    "%2E%2E/x",
    "a/%2e%2e/%2e%2e/x",
    "a%2f..%2f..%2fx",
    "%252e%252e/x",
    "%25252e%25252e%25252fx",
    "%2fetc%2fpasswd",
    "..\\x",
    "a\\..\\x",
    "%5c..%5cx",
    "..%5cx",
    "a\0b",
    "a%00b",
    "C:\\x",
    "C:/x",
    "c:x",
    "file:x",
    "file:///etc/passwd",
    "s3://bucket/x",
    "a#b",
    "a?b",
    "\ud800",
    "x" * 256,
    "ä" * 128,
    "a/" + "x" * 300 + "/b",
)
"""Paths that no repository takes, whatever is asked of it."""


class ArtifactRepositoryContract(ABC):
    """What `ArtifactRepository` promises, as tests."""

    @abstractmethod
    def make(self, folder: Path) -> ArtifactRepository:
        """Returns an empty repository; `folder` is the test's own."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """A local folder for what is logged."""
        local = tmp_path / "local"
        local.mkdir()
        return local

    @pytest.fixture
    def repository(self, tmp_path: Path) -> ArtifactRepository:
        """An empty repository."""
        return self.make(tmp_path)

    def test_an_empty_repository_holds_nothing(self, repository: ArtifactRepository) -> None:
        """Nothing is listed, found or read."""
        assert repository.list() == []
        assert not repository.exists("a.txt")
        with pytest.raises(NotFound, match=r"a\.txt"):
            repository.read_bytes("a.txt")

    @pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 9000])
    def test_bytes_come_back(self, repository: ArtifactRepository, data: bytes) -> None:
        """A file holds what was written, whichever way it is read."""
        repository.write_bytes("a/b/c.bin", data)
        assert repository.read_bytes("a/b/c.bin") == data
        with repository.open_stream("a/b/c.bin") as stream:
            assert stream.read() == data
        assert Path(repository.download("a/b/c.bin")).read_bytes() == data

    def test_a_stream_is_written_to_its_end(self, repository: ArtifactRepository) -> None:
        """Streams longer than a buffer are kept whole."""
        data = os.urandom(9 << 20)
        repository.write_stream("stream.bin", io.BytesIO(data))
        assert repository.read_bytes("stream.bin") == data

    def test_a_broken_stream_leaves_nothing(self, repository: ArtifactRepository) -> None:
        """The stream's own error comes through; the file of before stays."""
        repository.write_bytes("a.bin", b"before")

        class Broken(io.RawIOBase):
            def read(self, size: int = -1) -> bytes:
                raise ConnectionResetError("gone")

        with pytest.raises(ConnectionResetError, match="gone"):
            repository.write_stream("a.bin", Broken())  # type: ignore[arg-type]
        assert repository.read_bytes("a.bin") == b"before"
        assert [info.path for info in repository.list()] == ["a.bin"]

    def test_a_stream_of_text_is_refused(self, repository: ArtifactRepository) -> None:
        """The message says how to open the file."""
        with pytest.raises(InvalidArgument, match="rb"):
            repository.write_stream("a.txt", io.StringIO("text"))  # type: ignore[arg-type]
        assert repository.list() == []

    def test_writing_again_replaces(self, repository: ArtifactRepository) -> None:
        """The last write counts, shorter or not."""
        repository.write_bytes("a.txt", b"a long text")
        repository.write_bytes("a.txt", b"short")
        assert repository.read_bytes("a.txt") == b"short"

    def test_a_folder_lists_its_own_by_name(self, repository: ArtifactRepository) -> None:
        """One level, sorted, with sizes; nothing for a file or a missing folder."""
        for path in ("b.txt", "a/y.txt", "a/x/deep.txt", "B.txt"):
            repository.write_bytes(path, path.encode())
        assert repository.list() == [
            FileInfo("B.txt", False, 5),
            FileInfo("a", True),
            FileInfo("b.txt", False, 5),
        ]
        assert repository.list("a") == [
            FileInfo("a/x", True),
            FileInfo("a/y.txt", False, 7),
        ]
        assert repository.list("b.txt") == []
        assert repository.list("missing") == []

    @pytest.mark.parametrize("name", ["ä ö.txt", "日本", "100%", "a%20b", "-x", "...", "a:b", " "])
    def test_odd_names_are_names(self, repository: ArtifactRepository, name: str) -> None:
        """Names are not decoded, cut or escaped."""
        path = f"folder/{name}"
        repository.write_bytes(path, b"x")
        assert repository.read_bytes(path) == b"x"
        assert repository.list("folder") == [FileInfo(path, False, 1)]

    def test_a_file_is_logged_under_its_name(
        self, repository: ArtifactRepository, folder: Path
    ) -> None:
        """Into the root or a folder."""
        local = folder / "model.bin"
        local.write_bytes(b"weights")
        assert repository.log_file(local) == "model.bin"
        assert repository.log_file(str(local), "checkpoints/1") == "checkpoints/1/model.bin"
        assert repository.read_bytes("model.bin") == b"weights"
        assert repository.read_bytes("checkpoints/1/model.bin") == b"weights"

    def test_a_logged_file_is_a_copy(self, repository: ArtifactRepository, folder: Path) -> None:
        """What happens to the local file later does not matter."""
        local = folder / "a.txt"
        local.write_bytes(b"then")
        repository.log_file(local)
        with local.open("r+b") as file:
            file.write(b"now!")
        assert repository.read_bytes("a.txt") == b"then"

    def test_a_folder_is_logged_with_all_it_holds(
        self, repository: ArtifactRepository, folder: Path
    ) -> None:
        """At any depth, links followed."""
        (folder / "a" / "b").mkdir(parents=True)
        (folder / "a" / "b" / "deep.txt").write_bytes(b"deep")
        (folder / "top.txt").write_bytes(b"top")
        (folder / "link.txt").symlink_to(folder / "top.txt")
        paths = repository.log_folder(folder, "data")
        assert paths == ["data/a/b/deep.txt", "data/link.txt", "data/top.txt"]
        assert repository.read_bytes("data/a/b/deep.txt") == b"deep"
        assert repository.read_bytes("data/link.txt") == b"top"
        assert [info.path for info in repository.list("data")] == [
            "data/a",
            "data/link.txt",
            "data/top.txt",
        ]

    def test_what_cannot_be_logged_is_refused(
        self, repository: ArtifactRepository, folder: Path
    ) -> None:
        """Missing files, the wrong kind, broken links, pipes, loops: before anything is copied."""
        with pytest.raises(NotFound, match="missing"):
            repository.log_file(folder / "missing")
        with pytest.raises(NotFound, match="missing"):
            repository.log_folder(folder / "missing")
        with pytest.raises(InvalidArgument, match="log_artifacts"):
            repository.log_file(folder)
        (folder / "a.txt").write_bytes(b"x")
        with pytest.raises(InvalidArgument, match="log_artifact"):
            repository.log_folder(folder / "a.txt")
        for name, make in (
            ("broken", lambda path: path.symlink_to(folder / "nowhere")),
            ("pipe", os.mkfifo),
            ("loop", lambda path: path.symlink_to(folder)),
            ("q?", lambda path: path.touch()),
        ):
            make(folder / name)
            with pytest.raises(InvalidArgument):
                repository.log_folder(folder)
            (folder / name).unlink()
        assert repository.list() == []

    def test_downloads_keep_their_paths(self, repository: ArtifactRepository, folder: Path) -> None:
        """A file, a folder or everything, under the whole artifact path."""
        repository.write_bytes("a/b/c.txt", b"c")
        repository.write_bytes("d.txt", b"d")
        dst = folder / "new" / "dst"
        assert repository.download("a/b/c.txt", dst) == str(dst / "a" / "b" / "c.txt")
        assert (dst / "a" / "b" / "c.txt").read_bytes() == b"c"
        assert repository.download("a", folder / "two") == str(folder / "two" / "a")
        assert (folder / "two" / "a" / "b" / "c.txt").read_bytes() == b"c"
        assert repository.download("", folder / "three") == str(folder / "three")
        assert (folder / "three" / "d.txt").read_bytes() == b"d"
        assert (folder / "three" / "a" / "b" / "c.txt").read_bytes() == b"c"

    def test_a_missing_artifact_is_not_downloaded(
        self, repository: ArtifactRepository, folder: Path
    ) -> None:
        """With or without a destination."""
        for dst in (None, folder):
            with pytest.raises(NotFound, match="missing"):
                repository.download("missing", dst)
        assert list(folder.iterdir()) == []

    def test_everything_of_nothing_is_an_empty_folder(
        self, repository: ArtifactRepository, folder: Path
    ) -> None:
        """A run without artifacts can be downloaded."""
        assert os.listdir(repository.download("", folder / "dst")) == []

    def test_deleting_removes(self, repository: ArtifactRepository) -> None:
        """A file, a folder with all it holds, or everything."""
        for path in ("a.txt", "b/c/d.txt", "b/e.txt", "f.txt"):
            repository.write_bytes(path, b"x")
        repository.delete("a.txt")
        repository.delete("b")
        assert [info.path for info in repository.list()] == ["f.txt"]
        with pytest.raises(NotFound, match=r"a\.txt"):
            repository.delete("a.txt")
        with pytest.raises(NotFound):
            repository.delete("f.txt/below")
        repository.delete("")
        assert repository.list() == []
        repository.write_bytes("again.txt", b"x")
        assert repository.exists("again.txt")

    def test_files_and_folders_are_told_apart(self, repository: ArtifactRepository) -> None:
        """A folder is not read or written as a file, nor a file passed through."""
        repository.write_bytes("folder/file", b"x")
        assert repository.exists("folder")
        with pytest.raises(InvalidArgument, match="folder"):
            repository.read_bytes("folder")
        with pytest.raises(InvalidArgument, match="folder"):
            repository.write_bytes("folder", b"")
        with pytest.raises(InvalidArgument, match="folder/file/x"):
            repository.write_bytes("folder/file/x", b"")
        with pytest.raises(NotFound):
            repository.read_bytes("folder/file/x")
        assert not repository.exists("folder/file/x")
        assert repository.read_bytes("folder/file") == b"x"

    def test_the_root_is_no_file(self, repository: ArtifactRepository) -> None:
        """Nothing is written to or read from it."""
        for path in ("", ".", "./"):
            with pytest.raises(InvalidArgument):
                repository.write_bytes(path, b"x")
            with pytest.raises(InvalidArgument):
                repository.read_bytes(path)
        assert repository.list() == []

    @pytest.mark.parametrize("path", LEADING_OUTSIDE)
    def test_paths_that_lead_outside_are_refused(
        self, repository: ArtifactRepository, folder: Path, path: str
    ) -> None:
        """By every method, and nothing is written anywhere."""
        (folder / "a.txt").write_bytes(b"x")
        calls = (
            lambda: repository.write_bytes(path, b"x"),
            lambda: repository.write_stream(path, io.BytesIO(b"x")),
            lambda: repository.read_bytes(path),
            lambda: repository.open_stream(path),
            lambda: repository.list(path),
            lambda: repository.exists(path),
            lambda: repository.download(path),
            lambda: repository.download(path, folder / "dst"),
            lambda: repository.delete(path),
            lambda: repository.log_file(folder / "a.txt", path),
            lambda: repository.log_folder(folder, path),
            lambda: repository.locked(path).__enter__(),
        )
        for call in calls:
            with pytest.raises(InvalidArgument):
                call()
        assert repository.list() == []
        assert [entry.name for entry in folder.iterdir()] == ["a.txt"]

    def test_readers_see_whole_files_only(self, repository: ArtifactRepository) -> None:
        """While others write the same file."""
        texts = [bytes([letter]) * 300_000 for letter in b"ab"]
        repository.write_bytes("shared.bin", texts[0])
        over = threading.Event()

        def write(text: bytes) -> None:
            for _ in range(30):
                repository.write_bytes("shared.bin", text)

        def read() -> int:
            count = 0
            while not over.is_set() or not count:
                assert repository.read_bytes("shared.bin") in texts
                assert [info.path for info in repository.list()] == ["shared.bin"]
                count += 1
            return count

        with ThreadPoolExecutor(3) as pool:
            reader = pool.submit(read)
            for writer in [pool.submit(write, text) for text in texts]:
                writer.result()
            over.set()
            assert reader.result() > 0

    def test_a_lock_keeps_others_out(self, repository: ArtifactRepository) -> None:
        """Threads that add to one file lose nothing, and the lock leaves nothing behind."""
        repository.write_bytes("t/count", b"0")

        def add() -> None:
            for _ in range(20):
                with repository.locked("t/count"):
                    number = int(repository.read_bytes("t/count"))
                    repository.write_bytes("t/count", str(number + 1).encode())

        with ThreadPoolExecutor(4) as pool:
            for future in [pool.submit(add) for _ in range(4)]:
                future.result()
        assert repository.read_bytes("t/count") == b"80"
        assert repository.list("t") == [FileInfo("t/count", False, 2)]

    def test_a_lock_does_not_show(self, repository: ArtifactRepository, folder: Path) -> None:
        """Neither in a list nor in a download; errors of the block come through as they are."""

        def hold_and_fail() -> None:
            with repository.locked("a.txt"):
                repository.write_bytes("a.txt", b"x")
                assert repository.list() == [FileInfo("a.txt", False, 1)]
                repository.download("", folder / "dst")
                raise OSError("mine")

        with pytest.raises(OSError, match="mine"):
            hold_and_fail()
        assert os.listdir(folder / "dst") == ["a.txt"]
        with repository.locked("a.txt"), repository.locked("b.txt"):
            assert repository.exists("a.txt")
