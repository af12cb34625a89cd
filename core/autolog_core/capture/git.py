"""Which code a run is made from: commit, branch, and what differs from them.

Commit, branch and remote are read from the repository's files. Whether files were changed, and how,
only the ``git`` program can tell; it is run with a bound on time and size, without hooks, pagers,
locks or network. It takes tens of milliseconds: call it in the background.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from autolog_core.capture import programs
from autolog_core.capture.gitfiles import GitFolder, Head, find_repository, read_head, read_remote
from autolog_core.capture.text import clean, shorten
from autolog_core.config import git_environment

DIFF_SIZE = 1 << 20
UNTRACKED_COUNT = 1000
SECONDS = 10.0
_LIST_SIZE = 1 << 20
_PROBLEM_LENGTH = 500
# Anything that a repository's own configuration could make git run or fetch.
_QUIET = (
    "--no-pager",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.quotePath=false",
    "-c",
    "protocol.allow=never",
)
_DIFF = (
    "diff",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--binary",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--ignore-submodules=untracked",
)


@dataclass(frozen=True, slots=True)
class GitState:
    """The state of a work tree.

    Attributes:
        top: Top folder of the work tree.
        commit: None before the first commit.
        branch: None when no branch is checked out.
        repo_url: Address of ``origin``, or else of the first remote, without credentials.
        dirty: Whether tracked files differ from the commit; None when it could not be found out.
        diff: The difference as ``git apply`` takes it; when cut, its last line says so.
        diff_cut: Whether the difference was longer than the bound.
        untracked: Files and folders that git does not know and does not ignore, at most 1,000.
        problem: Why something of it is missing, or None.
    """

    top: str
    commit: str | None
    branch: str | None
    repo_url: str | None
    dirty: bool | None = None
    diff: str = ""
    diff_cut: bool = False
    untracked: tuple[str, ...] = ()
    problem: str | None = None


class _Problem(Exception):
    """Why the program could not tell."""


def git_state(path: str, diff_size: int = DIFF_SIZE, seconds: float = SECONDS) -> GitState | None:
    """Returns the state of the work tree that holds `path`, or None if none does.

    What cannot be read is left out and named in `problem`; nothing is raised for it.

    Args:
        path: A file or folder.
        diff_size: Bytes of the difference that are kept.
        seconds: Bound on each run of the program; there are at most five.
    """
    git = find_repository(path)
    if git is None:
        return None
    head, url = read_head(git), read_remote(git)
    program = shutil.which("git")
    if program is None:
        return _state(git, head, url, problem="git is not installed: changes were not looked for")
    ask = _Asker(program, git.top, git_environment(), seconds)
    try:
        if not head.readable:
            head = ask.head()
        dirty = ask.is_dirty()
    except _Problem as problem:
        return _state(git, head, url, problem=str(problem))
    problems: list[str] = []
    diff, cut, untracked = "", False, tuple[str, ...]()
    try:
        if dirty:
            diff, cut = ask.diff(head.commit, diff_size)
    except _Problem as problem:
        problems.append(str(problem))
    try:
        untracked = ask.untracked()
    except _Problem as problem:
        problems.append(str(problem))
    return _state(git, head, url, dirty, diff, cut, untracked, "; ".join(problems) or None)


def _state(
    git: GitFolder,
    head: Head,
    url: str | None,
    dirty: bool | None = None,
    diff: str = "",
    cut: bool = False,
    untracked: tuple[str, ...] = (),
    problem: str | None = None,
) -> GitState:
    return GitState(
        top=clean(git.top),
        commit=head.commit,
        branch=clean(head.branch) if head.branch else None,
        repo_url=clean(url) if url else None,
        dirty=dirty,
        diff=diff,
        diff_cut=cut,
        untracked=untracked,
        problem=shorten(clean(problem), _PROBLEM_LENGTH) if problem else None,
    )


class _Asker:
    """Asks the git program about one work tree."""

    def __init__(
        self, program: str, top: str, environment: Mapping[str, str], seconds: float
    ) -> None:
        self._program = program
        self._top = top
        self._environment = environment
        self._seconds = seconds

    def head(self) -> Head:
        """Returns what is checked out, for formats that are not read in process."""
        branch = self._run(("symbolic-ref", "--quiet", "--short", "HEAD"), _LIST_SIZE, (0, 1))
        commit = self._run(("rev-parse", "--quiet", "--verify", "HEAD"), _LIST_SIZE, (0, 1))
        return Head(_line(commit.out), _line(branch.out))

    def is_dirty(self) -> bool:
        """Whether tracked files differ from the commit or are staged."""
        arguments = (
            "status",
            "--porcelain",
            "--untracked-files=no",
            "--ignore-submodules=untracked",
        )
        return bool(self._run(arguments, 1).out)

    def diff(self, commit: str | None, size: int) -> tuple[str, bool]:
        """Returns the difference to the commit, staged or not, and whether it was cut."""
        against = ("HEAD",) if commit else ("--cached",)
        output = self._run((*_DIFF, *against, "--"), size)
        text = output.out.decode(errors="replace")
        if output.cut:
            whole = text.rpartition("\n")[0]
            text = f"{whole}\n# autolog: cut here, the difference has more than {size} bytes\n"
        return text, output.cut

    def untracked(self) -> tuple[str, ...]:
        """Returns what git neither knows nor ignores, whole folders as one."""
        arguments = ("ls-files", "--others", "--exclude-standard", "--directory", "-z")
        output = self._run((*arguments, "--no-empty-directory"), _LIST_SIZE)
        names = output.out.decode(errors="backslashreplace").split("\0")
        return tuple(clean(name) for name in names[:-1][:UNTRACKED_COUNT])

    def _run(
        self, arguments: tuple[str, ...], size: int, fine: tuple[int, ...] = (0,)
    ) -> programs.Output:
        command = (self._program, *_QUIET, *arguments)
        try:
            output = programs.run(command, self._top, self._environment, size, self._seconds)
        except OSError as error:
            raise _Problem(f"git {arguments[0]} could not be run: {error}") from None
        if output.late:
            raise _Problem(f"git {arguments[0]} took over {self._seconds:g} seconds")
        if not output.cut and output.code not in fine:
            raise _Problem(f"git {arguments[0]} failed: {output.complaint or output.code}")
        return output


def _line(text: bytes) -> str | None:
    return text.decode(errors="surrogateescape").strip() or None
