"""Artifacts on a local disk: the contract, and what only a disk can do wrong."""

import errno
import io
import os
import resource
import signal
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

import pytest

from autolog_core.artifacts.contract import ArtifactRepositoryContract
from autolog_core.artifacts.local import LocalRepository
from autolog_core.errors import (
    InvalidArgument,
    NotFound,
    PermissionDenied,
    StorageFull,
    StorageReadOnly,
)


class TestLocalRepository(ArtifactRepositoryContract):
    def make(self, folder):
        return LocalRepository(folder / "root")


class TestLocalRepositoryBehindALink(ArtifactRepositoryContract):
    def make(self, folder):
        (folder / "disk").mkdir()
        (folder / "root").symlink_to(folder / "disk")
        return LocalRepository(folder / "root")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.fixture
def repository(root):
    return LocalRepository(root)


@contextmanager
def ordinary_user():
    """Root may write anywhere: what permissions forbid shows only without its rights."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def largest_file(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one MiB, where the test may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no right to mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def everything_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_links_that_lead_outside_are_not_followed(repository, root, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_bytes(b"secret")
    root.mkdir()
    (root / "folder").symlink_to(secret)
    (root / "file").symlink_to(secret / "key")
    (root / "up").symlink_to("..")
    for path in ("folder/key", "file", "up/secret/key"):
        for call in (
            repository.read_bytes,
            repository.exists,
            repository.download,
            lambda path: repository.download(path, tmp_path / "dst"),
            lambda path: repository.write_bytes(path, b"x"),
            lambda path: repository.locked(path).__enter__(),
        ):
            with pytest.raises(InvalidArgument, match="outside"):
                call(path)
    with pytest.raises(InvalidArgument, match="outside"):
        repository.delete("folder/key")
    with pytest.raises(InvalidArgument, match="outside"):
        repository.list("folder")
    assert repository.list() == []
    assert os.listdir(repository.download("", tmp_path / "all")) == []
    assert everything_under(secret) == ["key"]
    assert (secret / "key").read_bytes() == b"secret"


def test_deleting_removes_links_and_not_what_they_lead_to(repository, root, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "a.txt").touch()
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "inner").symlink_to(kept)
    (root / "outer").symlink_to(kept)
    repository.delete("outer")
    repository.delete("folder")
    assert everything_under(root) == []
    assert everything_under(kept) == ["a.txt"]


def test_links_that_stay_inside_are_followed(repository, root):
    repository.write_bytes("a/data.txt", b"x")
    (root / "latest").symlink_to("a")
    assert repository.read_bytes("latest/data.txt") == b"x"
    assert [info.path for info in repository.list("latest")] == ["latest/data.txt"]
    repository.write_bytes("latest/more.txt", b"y")
    assert repository.read_bytes("a/more.txt") == b"y"


def test_circles_of_links_end(repository, root, tmp_path):
    repository.write_bytes("a/data.txt", b"x")
    (root / "a" / "back").symlink_to(root)
    (root / "self").symlink_to("self")
    assert [info.path for info in repository.list()] == ["a"]
    repository.download("", tmp_path / "dst")
    assert (tmp_path / "dst" / "a" / "data.txt").read_bytes() == b"x"
    assert not repository.exists("self")
    with pytest.raises((InvalidArgument, NotFound)):
        repository.read_bytes("self")


def test_a_pipe_among_artifacts_is_no_artifact(repository, root):
    root.mkdir()
    os.mkfifo(root / "pipe")
    assert repository.list() == []
    with pytest.raises(InvalidArgument, match="pipe"):
        repository.read_bytes("pipe")


def test_a_folder_that_holds_the_repository_can_be_logged(tmp_path):
    repository = LocalRepository(tmp_path / "mlruns" / "run" / "artifacts")
    (tmp_path / "train.py").write_bytes(b"code")
    repository.write_bytes("before.txt", b"x")
    assert repository.log_folder(tmp_path, "code") == ["code/train.py"]
    assert repository.log_folder(tmp_path, "code") == ["code/train.py"]


def test_empty_folders_and_modes_come_along(repository, root, tmp_path):
    local = tmp_path / "local"
    (local / "empty").mkdir(parents=True)
    (local / "run.sh").write_bytes(b"#!/bin/sh\n")
    (local / "run.sh").chmod(0o755)
    os.utime(local / "run.sh", (1, 1_000_000_000))
    repository.log_folder(local)
    assert (root / "empty").is_dir()
    assert os.access(root / "run.sh", os.X_OK)
    assert (root / "run.sh").stat().st_mtime == 1_000_000_000


def test_files_of_unknown_size_are_copied_to_their_end(repository):
    repository.log_file("/proc/self/status")
    assert b"Name:" in repository.read_bytes("status")


def test_new_files_have_the_rights_of_other_new_files(repository, root, tmp_path):
    (tmp_path / "plain").touch()
    repository.write_bytes("a.txt", b"x")
    assert (root / "a.txt").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_our_own_files_are_called_is_kept_for_them(repository, root):
    for name in (".autolog-0123456789abcdef.part", ".autolog-0123456789abcdef.lock"):
        with pytest.raises(InvalidArgument, match="keeps for itself"):
            repository.write_bytes(name, b"")
        with pytest.raises(InvalidArgument, match="keeps for itself"):
            repository.write_bytes(f"{name}/x", b"")
        root.mkdir(exist_ok=True)
        (root / name).touch()
    assert repository.list() == []
    repository.write_bytes(".autolog-notes", b"")
    assert [info.path for info in repository.list()] == [".autolog-notes"]


def test_a_full_disk_is_told_and_leaves_nothing(small_disk, tmp_path):
    repository = LocalRepository(small_disk / "root")
    repository.write_bytes("kept.bin", b"k" * 100_000)
    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(2 << 20))
    for call in (
        lambda: repository.write_bytes("a/large.bin", large.read_bytes()),
        lambda: repository.write_bytes("kept.bin", large.read_bytes()),
        lambda: repository.write_stream("a/large.bin", io.BytesIO(large.read_bytes())),
        lambda: repository.log_file(large, "a"),
        lambda: (
            LocalRepository(tmp_path / "other").log_file(large)
            and LocalRepository(tmp_path / "other").download("large.bin", small_disk / "dst")
        ),
    ):
        with pytest.raises(StorageFull, match="free space"):
            call()
    assert repository.read_bytes("kept.bin") == b"k" * 100_000
    files = [path.name for path in small_disk.rglob("*") if path.is_file()]
    assert files == ["kept.bin"]
    repository.write_bytes("after.bin", b"x" * 100_000)


def test_a_read_only_disk_is_told(small_disk):
    repository = LocalRepository(small_disk)
    repository.write_bytes("a.txt", b"x")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for call in (
        lambda: repository.write_bytes("a.txt", b"y"),
        lambda: repository.write_bytes("new/b.txt", b"y"),
        lambda: repository.delete("a.txt"),
        lambda: repository.delete(""),
        lambda: repository.locked("a.txt").__enter__(),
    ):
        with pytest.raises(StorageReadOnly, match="permission"):
            call()
    assert repository.read_bytes("a.txt") == b"x"


def test_a_file_over_the_process_limit_is_told(repository, root):
    with largest_file(1000), pytest.raises(StorageFull) as caught:
        repository.write_bytes("a.bin", b"x" * 5000)
    assert caught.value.__cause__.errno == errno.EFBIG
    assert everything_under(root) == []


def test_a_folder_without_rights_is_told(tmp_path):
    tmp_path.chmod(0o755)
    for above in tmp_path.parents[:3]:
        above.chmod(above.stat().st_mode | 0o055)
    root = tmp_path / "root"
    repository = LocalRepository(root)
    repository.write_bytes("a.txt", b"x")
    repository.write_bytes("secret.txt", b"x")
    (root / "secret.txt").chmod(0o000)
    root.chmod(0o555)
    with ordinary_user():
        for call in (
            lambda: repository.write_bytes("b.txt", b"x"),
            lambda: repository.write_bytes("new/b.txt", b"x"),
            lambda: repository.delete("a.txt"),
        ):
            with pytest.raises(StorageReadOnly, match="permission"):
                call()
        assert repository.read_bytes("a.txt") == b"x"
        with pytest.raises(PermissionDenied, match=r"secret\.txt"):
            repository.read_bytes("secret.txt")
    root.chmod(0o755)


def test_a_killed_writer_leaves_the_file_of_before(repository, root):
    repository.write_bytes("model.bin", b"before")
    program = textwrap.dedent(
        """
        import os, signal, sys
        from autolog_core.artifacts.local import LocalRepository

        class Stream:
            def __init__(self):
                self.calls = 0

            def read(self, size):
                self.calls += 1
                if self.calls == 3:
                    os.kill(os.getpid(), signal.SIGKILL)
                return b"x" * 1000

        repository = LocalRepository(sys.argv[1])
        with repository.locked("model.bin"):
            repository.write_stream("model.bin", Stream())
        """
    )
    done = subprocess.run([sys.executable, "-c", program, str(root)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert repository.read_bytes("model.bin") == b"before"
    assert [info.path for info in repository.list()] == ["model.bin"]
    with repository.locked("model.bin"):
        repository.write_bytes("model.bin", b"after")
    assert not any(name.endswith(".lock") for name in everything_under(root))


def test_processes_add_to_one_file_and_lose_nothing(repository, root):
    repository.write_bytes("rows.txt", b"")
    program = textwrap.dedent(
        """
        import sys
        from autolog_core.artifacts.local import LocalRepository

        repository = LocalRepository(sys.argv[1])
        for number in range(25):
            with repository.locked("rows.txt"):
                rows = repository.read_bytes("rows.txt")
                repository.write_bytes("rows.txt", rows + f"{sys.argv[2]} {number}\\n".encode())
        """
    )
    command = [sys.executable, "-c", program, str(root)]
    workers = [subprocess.Popen([*command, str(number)]) for number in range(3)]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    rows = repository.read_bytes("rows.txt").decode().splitlines()
    assert sorted(rows) == sorted(f"{worker} {row}" for worker in range(3) for row in range(25))
    assert everything_under(root) == ["rows.txt"]


def test_a_relative_root_is_of_the_working_folder_of_its_opening(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    repository = LocalRepository("here")
    monkeypatch.chdir("/")
    repository.write_bytes("a.txt", b"x")
    assert (tmp_path / "here" / "a.txt").is_file()


def test_downloading_to_a_file_is_refused(repository, tmp_path):
    repository.write_bytes("a.txt", b"x")
    target = Path(tmp_path / "file")
    target.write_bytes(b"mine")
    with pytest.raises(InvalidArgument, match="passes through a file"):
        repository.download("a.txt", target)
    assert target.read_bytes() == b"mine"
