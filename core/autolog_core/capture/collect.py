"""All that is known of a run's code and environment, ready to be logged.

It takes tens of milliseconds, so it belongs in the background. What does not change in a process is
read once (`read_facts`) and passed in again; the state of the code is read at each call.
"""

from __future__ import annotations

import json
import os
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autolog_core.capture.environment import Machine, read_machine, read_user
from autolog_core.capture.git import GitState, git_state
from autolog_core.capture.packages import imported_packages, packages, requirements
from autolog_core.capture.source import Source, read_source
from autolog_core.capture.text import clean, shorten
from autolog_core.config import Settings
from autolog_core.limits import TAG_VALUE_LENGTH

REQUIREMENTS_FILE = "environment/requirements.txt"
ENVIRONMENT_FILE = "environment/environment.json"
DIFF_FILE = "code/uncommitted.diff"


@dataclass(frozen=True, slots=True)
class Facts:
    """What stays as it is while a process lives.

    Attributes:
        versions: Version of each installed distribution.
        skipped: Why a part is missing, by the part's name.
    """

    machine: Machine | None
    user: str | None
    versions: Mapping[str, str] | None
    skipped: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Captured:
    """What was found out about a run.

    Attributes:
        tags: Ready to be set.
        files: Content by artifact path.
        skipped: Why a part is missing, by the part's name.
    """

    tags: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def read_facts(settings: Settings) -> Facts:
    """Returns what stays as it is while this process lives."""
    skipped: dict[str, str] = {}
    machine, user, versions = None, None, None
    try:
        machine = read_machine()
    except Exception as error:
        skipped["machine"] = _why(error)
    try:
        user = read_user(settings.user)
    except Exception as error:
        skipped["user"] = _why(error)
    if settings.capture_packages:
        try:
            versions = packages()
        except Exception as error:
            skipped["packages"] = _why(error)
    return Facts(machine, user, versions, skipped)


def collect(settings: Settings, facts: Facts | None = None) -> Captured:
    """Returns what can be found out about the code and environment of a run that starts now.

    Each part fails alone: the others are still there, and `Captured.skipped` says why it is not.

    Args:
        settings: `capture_code` and `capture_packages` turn these parts off.
        facts: From an earlier call of `read_facts` in this process.
    """
    captured = Captured()
    facts = read_facts(settings) if facts is None else facts
    captured.skipped.update(facts.skipped)
    document: dict[str, Any] = {}
    if facts.user:
        captured.tags["mlflow.user"] = _tag(facts.user)
    source = _add_source(captured, document, settings)
    if settings.capture_code:
        _add_git(captured, document, source)
    if facts.machine:
        document["machine"] = facts.machine.to_dictionary()
    if facts.versions is not None:
        _add_packages(captured, facts.versions)
    if captured.skipped:
        document["skipped"] = captured.skipped
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    captured.files[ENVIRONMENT_FILE] = text.encode(errors="backslashreplace")
    return captured


def code_folder(source: Source) -> str:
    """Returns the folder whose repository holds the user's code.

    It is the script's, unless what was started is an installed program such as ``pytest``: then it
    is the working folder.
    """
    if source.file is None:
        return source.folder
    file = os.path.realpath(source.file)
    installed = {sysconfig.get_path(key) for key in ("scripts", "stdlib", "purelib", "platlib")}
    if any(file.startswith(os.path.realpath(place) + os.sep) for place in installed):
        return source.folder
    return os.path.dirname(file)


def _add_source(captured: Captured, document: dict[str, Any], settings: Settings) -> Source | None:
    try:
        source = read_source(notebook=settings.notebook)
    except Exception as error:
        captured.skipped["source"] = _why(error)
        return None
    captured.tags["mlflow.source.name"] = _tag(source.name)
    captured.tags["mlflow.source.type"] = source.type
    document["source"] = {
        "name": source.name,
        "kind": source.kind,
        "file": source.file and clean(source.file),
        "arguments": list(source.arguments),
        "folder": clean(source.folder),
        "pid": os.getpid(),
    }
    return source


def _add_git(captured: Captured, document: dict[str, Any], source: Source | None) -> None:
    try:
        state = git_state(code_folder(source) if source else os.getcwd())
    except Exception as error:
        captured.skipped["git"] = _why(error)
        return
    if state is None:
        return
    captured.tags.update(_git_tags(state))
    document["git"] = {
        "commit": state.commit,
        "branch": state.branch,
        "repo_url": state.repo_url,
        "top": state.top,
        "dirty": state.dirty,
        "diff_cut": state.diff_cut,
        "untracked": list(state.untracked),
    }
    if state.diff:
        captured.files[DIFF_FILE] = state.diff.encode(errors="backslashreplace")
    if state.problem:
        captured.skipped["git"] = state.problem


def _git_tags(state: GitState) -> dict[str, str]:
    values = {
        "commit": state.commit,
        "branch": state.branch,
        "dirty": None if state.dirty is None else str(state.dirty).lower(),
        "repoURL": state.repo_url,
    }
    return {f"mlflow.source.git.{key}": _tag(value) for key, value in values.items() if value}


def _add_packages(captured: Captured, versions: Mapping[str, str]) -> None:
    imported: set[str] = set()
    try:
        imported = imported_packages()
    except Exception as error:
        captured.skipped["imported packages"] = _why(error)
    captured.files[REQUIREMENTS_FILE] = requirements(versions, imported).encode()


def _tag(value: str) -> str:
    return shorten(clean(value), TAG_VALUE_LENGTH)


def _why(error: Exception) -> str:
    return shorten(clean(f"{type(error).__name__}: {error}"), 500)
