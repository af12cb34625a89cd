"""The state of the code, from real repositories."""

import os
import select
import shutil
import subprocess

import pytest

from autolog_core.capture.git import git_state
from autolog_core.capture.gitfiles import without_credentials

IDENTITY = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}


def git(folder, *arguments, check=True):
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **IDENTITY},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "train.py").write_text("lr = 0.1\n")
    git(folder, "add", "train.py")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_a_clean_work_tree(repository):
    state = git_state(str(repository / "train.py"))
    assert state.commit == git(repository, "rev-parse", "HEAD")
    assert (state.branch, state.dirty, state.diff, state.untracked) == ("main", False, "", ())
    assert state.top == str(repository)
    assert state.repo_url is None
    assert state.problem is None


def test_changes_staged_or_not_are_in_the_difference(repository, tmp_path):
    (repository / "train.py").write_text("lr = 0.2\n")
    (repository / "staged.py").write_text("é = 1\n")
    (repository / "weights.bin").write_bytes(bytes(range(256)))
    git(repository, "add", "staged.py", "weights.bin")
    (repository / "notes ä.txt").write_text("mine")
    (repository / "data").mkdir()
    (repository / "data" / "a.csv").write_text("1")
    state = git_state(str(repository))
    assert state.dirty
    assert "-lr = 0.1\n+lr = 0.2\n" in state.diff
    assert "+é = 1" in state.diff
    assert "mine" not in state.diff
    assert state.untracked == ("data/", "notes ä.txt")
    assert not state.diff_cut
    copy = tmp_path / "copy"
    git(tmp_path, "clone", "-q", str(repository), str(copy))
    (tmp_path / "changes.diff").write_text(state.diff)
    git(copy, "apply", str(tmp_path / "changes.diff"))
    assert (copy / "train.py").read_text() == "lr = 0.2\n"
    assert (copy / "weights.bin").read_bytes() == bytes(range(256))


def test_untracked_files_alone_are_no_change(repository):
    (repository / "new.txt").write_text("x")
    (repository / ".gitignore").write_text("*.log\n")
    (repository / "x.log").write_text("x")
    state = git_state(str(repository))
    assert state.dirty is False
    assert state.untracked == (".gitignore", "new.txt")


def test_a_long_difference_is_cut_and_says_so(repository):
    (repository / "train.py").write_text("".join(f"x{i} = {i}\n" for i in range(200_000)))
    state = git_state(str(repository), diff_size=10_000)
    assert state.dirty
    assert state.diff_cut
    assert len(state.diff.encode()) < 10_200
    assert state.diff.endswith("# autolog: cut here, the difference has more than 10000 bytes\n")


def test_nothing_is_written_and_no_lock_is_taken(repository):
    os.utime(repository / "train.py", (1, 1))
    index = (repository / ".git" / "index").read_bytes()
    (repository / ".git" / "index.lock").touch()
    state = git_state(str(repository))
    assert state.dirty is False
    assert state.problem is None
    assert (repository / ".git" / "index").read_bytes() == index


def test_a_detached_head_has_no_branch(repository):
    git(repository, "checkout", "-q", "--detach")
    state = git_state(str(repository))
    assert state.commit == git(repository, "rev-parse", "HEAD")
    assert state.branch is None


def test_packed_references_are_read(repository):
    git(repository, "checkout", "-q", "-b", "topic/deep")
    git(repository, "tag", "-a", "v1", "-m", "one")
    git(repository, "pack-refs", "--all")
    assert not (repository / ".git" / "refs" / "heads" / "topic").exists()
    state = git_state(str(repository))
    assert state.commit == git(repository, "rev-parse", "HEAD")
    assert state.branch == "topic/deep"


def test_a_symbolic_branch_is_followed(repository):
    git(repository, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    git(repository, "symbolic-ref", "HEAD", "refs/heads/alias")
    state = git_state(str(repository))
    assert state.commit == git(repository, "rev-parse", "HEAD")
    assert state.branch == "alias"


def test_before_the_first_commit(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a.txt").write_text("x\n")
    git(tmp_path, "add", "a.txt")
    state = git_state(str(tmp_path))
    assert state.commit is None
    assert state.branch == "main"
    assert state.dirty is True
    assert "+x" in state.diff
    assert state.problem is None


def test_a_second_work_tree_has_its_own_head(repository, tmp_path):
    git(repository, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = tmp_path / "side"
    (side / "train.py").write_text("lr = 9\n")
    git(side, "commit", "-q", "-a", "-m", "side")
    state = git_state(str(side))
    assert state.commit == git(side, "rev-parse", "HEAD")
    assert state.commit != git_state(str(repository)).commit
    assert state.branch == "side"
    assert state.top == str(side)


def test_work_trees_of_a_bare_repository_count_and_itself_does_not(repository, tmp_path):
    bare = tmp_path / "bare" / ".git"
    git(tmp_path, "clone", "-q", "--bare", str(repository), str(bare))
    git(bare, "worktree", "add", "-q", str(tmp_path / "bare" / "tree"), "main")
    assert git_state(str(tmp_path / "bare")) is None
    state = git_state(str(tmp_path / "bare" / "tree"))
    assert state.commit == git(repository, "rev-parse", "HEAD")
    assert state.dirty is False


def test_a_submodule_is_a_repository_of_its_own(repository, tmp_path):
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "-q", "-b", "trunk")
    (library / "lib.py").write_text("x\n")
    git(library, "add", ".")
    git(library, "commit", "-q", "-m", "library")
    git(
        repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
        str(library), "lib",
    )  # fmt: skip
    git(repository, "commit", "-q", "-m", "with library")
    state = git_state(str(repository / "lib" / "lib.py"))
    assert state.commit == git(library, "rev-parse", "HEAD")
    assert state.repo_url == str(library)
    assert git_state(str(repository)).dirty is False
    (repository / "lib" / "lib.py").write_text("changed\n")
    assert git_state(str(repository)).dirty is True


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://user:secret@example.com/a/b.git", "https://example.com/a/b.git"),
        ("https://ghp_secret@example.com/a.git", "https://example.com/a.git"),
        ("https://u:p@ss@example.com:8443/a.git", "https://example.com:8443/a.git"),
        ("https://example.com/a.git?private_token=secret#x", "https://example.com/a.git"),
        ("ssh://git@example.com/a.git", "ssh://git@example.com/a.git"),
        ("ssh://git:secret@example.com/a.git", "ssh://git@example.com/a.git"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("/srv/git/a.git", "/srv/git/a.git"),
        ("https://[broken/a", None),
    ],
)
def test_the_remote_is_shown_without_credentials(repository, address, shown):
    assert without_credentials(address) == shown
    git(repository, "remote", "add", "other", "https://other.example.com/x.git")
    git(repository, "remote", "add", "origin", address)
    assert git_state(str(repository)).repo_url == shown


def test_the_first_remote_counts_without_origin(repository):
    git(repository, "remote", "add", 'up"stream', "https://example.com/x.git ; y")
    assert git_state(str(repository)).repo_url == "https://example.com/x.git ; y"


def test_a_folder_outside_of_any_repository(tmp_path):
    assert git_state(str(tmp_path)) is None
    assert git_state(str(tmp_path / "missing.py")) is None


def test_without_the_program_the_commit_is_still_known(repository, monkeypatch, tmp_path):
    commit = git(repository, "rev-parse", "HEAD")
    monkeypatch.setenv("PATH", str(tmp_path))
    state = git_state(str(repository))
    assert (state.commit, state.branch, state.dirty) == (commit, "main", None)
    assert "git is not installed" in state.problem


def test_a_repository_of_somebody_else_is_not_looked_into(repository):
    if os.geteuid():
        pytest.skip("only root can give a folder away")
    commit = git(repository, "rev-parse", "HEAD")
    for path in [repository, *repository.rglob("*")]:
        os.chown(path, 65534, 65534)
    (repository / "train.py").write_text("changed\n")
    state = git_state(str(repository))
    assert (state.commit, state.dirty, state.diff) == (commit, None, "")
    assert "dubious ownership" in state.problem


def test_nothing_of_the_repository_is_run(repository, tmp_path):
    trace = tmp_path / "trace"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\necho ran >> {trace}\n")
    script.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "diff.external",
        "core.pager",
        "diff.mine.textconv",
        "pager.diff",
    ):
        git(repository, "config", key, str(script))
    hooks = repository / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-index-change", "post-checkout", "fsmonitor-watchman"):
        shutil.copy(script, hooks / name)
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "attributes").write_text("*.py diff=mine\n")
    (repository / "train.py").write_text("lr = 0.5\n")
    state = git_state(str(repository))
    assert "+lr = 0.5" in state.diff
    assert not trace.exists()


def test_a_program_that_hangs_is_stopped(repository, monkeypatch, tmp_path):
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nsleep 600 & echo $! > {tmp_path}/child; wait\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    state = git_state(str(repository), seconds=0.5)
    assert state.dirty is None
    assert "took over 0.5 seconds" in state.problem
    child = int((tmp_path / "child").read_text())
    assert ends(child)


def ends(pid):
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ready, _, _ = select.select([handle], [], [], 30)
    os.close(handle)
    return bool(ready)


def test_variables_of_a_hook_do_not_mislead(repository, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    (repository / "train.py").write_text("changed\n")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    state = git_state(str(repository))
    assert state.dirty is True
    assert "+changed" in state.diff
    assert state.problem is None


@pytest.mark.parametrize(
    "head",
    [b"", b"nonsense", b"ref: ../../../../etc/passwd", b"\xff\xfe", b"ref: refs/heads/a/../b"],
)
def test_a_damaged_head_does_no_harm(repository, head):
    (repository / ".git" / "HEAD").write_bytes(head)
    state = git_state(str(repository))
    # Git itself takes such a folder for no repository.
    assert state.commit is None
    assert state.dirty is None
    assert state.problem


def test_damaged_references_and_config_do_no_harm(repository):
    (repository / ".git" / "refs" / "heads" / "main").write_bytes(b"\0" * 41)
    state = git_state(str(repository))
    assert state.commit is None
    assert state.problem
    (repository / ".git" / "config").write_bytes(b'[remote "x\nurl = \xff\n[remote "o"]\nurl')
    assert git_state(str(repository)).repo_url is None


def test_odd_places_of_git_folders_do_no_harm(tmp_path):
    for content in (b"", b"gitdir:", b"gitdir: /missing", b"\0"):
        (tmp_path / ".git").write_bytes(content)
        assert git_state(str(tmp_path)) is None
    (tmp_path / ".git").unlink()
    os.mkfifo(tmp_path / ".git")
    assert git_state(str(tmp_path)) is None
