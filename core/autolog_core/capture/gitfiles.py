"""Reading a repository's own files: where it is, what is checked out, where it came from.

Only what git has kept stable for many years is read here: ``HEAD``, loose and packed references,
``commondir`` of work trees, the ``.git`` file of submodules and work trees, and remotes in
``config``. Nothing is run, locked or written.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SECTION = re.compile(r'\s*\[\s*([A-Za-z0-9.\-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]')
_SMALL = 1 << 20
_LINKS = 5


@dataclass(frozen=True, slots=True)
class GitFolder:
    """Where a repository keeps its files.

    Attributes:
        top: Top folder of the work tree.
        own: Folder with ``HEAD``; of its own for each work tree.
        common: Folder with references and ``config``, shared by all work trees.
    """

    top: str
    own: str
    common: str


@dataclass(frozen=True, slots=True)
class Head:
    """What is checked out.

    Attributes:
        commit: None before the first commit.
        branch: Short name; None when no branch is checked out.
        readable: Whether the files could be read; a newer format needs the program.
    """

    commit: str | None
    branch: str | None
    readable: bool = True


def find_repository(path: str) -> GitFolder | None:
    """Returns the repository whose work tree holds `path`, or None; bare ones have no work tree."""
    folder = os.path.realpath(path)
    if not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    while True:
        found = _open(folder)
        if found is not None:
            return found
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def read_head(git: GitFolder) -> Head:
    """Returns what is checked out."""
    text = _text(os.path.join(git.own, "HEAD"))
    if text is None:
        return Head(None, None, readable=False)
    text = text.strip()
    if _COMMIT.fullmatch(text):
        return Head(text, None)
    name = _link(text)
    if name is None or os.path.isdir(os.path.join(git.common, "reftable")):
        return Head(None, None, readable=False)
    branch = name.removeprefix("refs/heads/")
    for _ in range(_LINKS):
        found = _loose(git, name)
        if found is None:
            return Head(_packed(git.common, name), branch)
        if _COMMIT.fullmatch(found):
            return Head(found, branch)
        further = _link(found)
        if further is None:
            break
        name = further
    return Head(None, branch, readable=False)


def read_remote(git: GitFolder) -> str | None:
    """Returns the address of ``origin``, or else of the first remote, without credentials."""
    remotes: dict[str, str] = {}
    section: tuple[str, str] | None = None
    for line in (_text(os.path.join(git.common, "config")) or "").splitlines():
        header = _SECTION.match(line)
        if header:
            name = re.sub(r"\\(.)", r"\1", header[2] or "")
            section = (header[1].lower(), name)
            line = line[header.end() :]
        key, sign, value = line.partition("=")
        if sign and section and section[0] == "remote" and key.strip().lower() == "url":
            remotes.setdefault(section[1], _plain(value))
    address = remotes.get("origin") or next(iter(remotes.values()), None)
    return without_credentials(address) if address else None


def without_credentials(address: str) -> str | None:
    """Returns a remote's address without password, token or query; None if it cannot be read.

    The user of an ``ssh`` address stays, because it is part of the place and no secret.
    """
    if "://" not in address:
        return address
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    login, sign, host = parts.netloc.rpartition("@")
    user = login.partition(":")[0]
    if sign and user and parts.scheme in ("ssh", "git+ssh"):
        host = f"{user}@{host}"
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _open(folder: str) -> GitFolder | None:
    own = os.path.join(folder, ".git")
    try:
        mode = os.stat(own).st_mode
    except OSError:
        return None
    if stat.S_ISREG(mode):
        link = (_text(own) or "").strip()
        if not link.startswith("gitdir:"):
            return None
        own = os.path.normpath(os.path.join(folder, link.removeprefix("gitdir:").strip()))
    elif _is_bare(own):
        return None
    if not os.path.isfile(os.path.join(own, "HEAD")):
        return None
    common = (_text(os.path.join(own, "commondir")) or "").strip()
    shared = os.path.normpath(os.path.join(own, common)) if common else own
    return GitFolder(folder, own, shared)


def _is_bare(own: str) -> bool:
    config = _text(os.path.join(own, "config")) or ""
    return re.search(r"^\s*bare\s*=\s*true\s*$", config, re.MULTILINE | re.IGNORECASE) is not None


def _link(text: str) -> str | None:
    name = text.removeprefix("ref:").strip()
    if not text.startswith("ref:") or not name.startswith("refs/") or ".." in name:
        return None
    return name


def _loose(git: GitFolder, name: str) -> str | None:
    for folder in dict.fromkeys((git.own, git.common)):
        text = _text(os.path.join(folder, name))
        if text is not None:
            return text.strip()
    return None


def _packed(common: str, name: str) -> str | None:
    path = os.path.join(common, "packed-refs")
    if not os.path.isfile(path):
        return None
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                commit, _, found = line.rstrip("\n").partition(" ")
                if found == name and _COMMIT.fullmatch(commit):
                    return commit
    except OSError:
        return None
    return None


def _plain(value: str) -> str:
    value = value.strip()
    if value.startswith('"'):
        return re.sub(r"\\(.)", r"\1", value[1:].partition('"')[0])
    return re.split(r"\s[#;]", value)[0].strip()


def _text(path: str) -> str | None:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(_SMALL)
    except OSError:
        return None
