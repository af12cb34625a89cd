"""Finds out what is installed, where data goes and what is wrong, for `autolog doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from autolog_core import __version__
from autolog_core.cli.integrations import Integration, find_integrations, installed_version
from autolog_core.cli.place import Place, check_place, find_place
from autolog_core.cli.problem import Problem
from autolog_core.errors import AutologError


@dataclass(frozen=True, slots=True)
class Health:
    """All that `autolog doctor` says.

    Attributes:
        system: Versions and the machine, by label.
        integrations: What can be captured; None when no package describes itself.
        place: Where data goes; None when the address cannot be read.
        settings: Variables in force, secrets masked.
        problems: The errors first.
    """

    system: Mapping[str, str]
    integrations: tuple[Integration, ...] | None
    place: Place | None
    settings: Mapping[str, str]
    problems: tuple[Problem, ...]

    def to_dictionary(self) -> dict[str, Any]:
        """Returns the fields as plain data."""
        return asdict(self)


def examine(address: str | None, environ: Mapping[str, str]) -> Health:
    """Looks at everything; nothing is made or changed.

    Args:
        address: The tracking address asked for on the command line.
        environ: The variables of autolog in the environment.
    """
    problems: list[Problem] = []
    integrations = find_integrations(problems)
    place = find_place(address, environ, problems)
    problems += check_settings(environ)
    problems += check_tools(environ)
    if place is not None:
        problems += check_place(place)
    return Health(
        describe_system(),
        integrations,
        place,
        {name: mask(name, value) for name, value in sorted(environ.items())},
        tuple(sorted(problems, key=lambda problem: problem.severity)),
    )


def describe_system() -> dict[str, str]:
    """Returns versions and the machine, by label."""
    import autolog_core

    return {
        "autolog": f"{__version__} ({os.path.dirname(autolog_core.__file__)})",
        "Python": f"{platform.python_version()} ({sys.executable})",
        "platform": f"{platform.platform()}, {os.cpu_count()} cores",
    }


def mask(name: str, value: str) -> str:
    """Returns `value` without what must not be shown on a screen."""
    from autolog_core.capture.source import MASK, is_secret_name, mask_arguments

    return MASK if is_secret_name(name) else mask_arguments((value,))[0]


def check_settings(environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yields variables that look like settings and are none."""
    import difflib

    from autolog_core.config import read_settings

    known = _Recorded(environ)
    try:
        read_settings(known)
    except AutologError:
        return  # told by `find_place`
    ours = [name for name in known.asked if name.startswith("AUTOLOG_")]
    for name in sorted(environ):
        if name.startswith("AUTOLOG_") and name not in ours:
            near = difflib.get_close_matches(name, ours, n=1)
            yield Problem(
                "warning",
                f"{name} is set and is no setting of autolog",
                f"did you mean {near[0]}?" if near else f"unset {name}",
            )


class _Recorded(dict[str, str]):
    """Variables that remember which of them were asked for: so the names live in `config` only."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(environ)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        """Returns a variable, and notes its name."""
        self.asked.add(name)
        return super().get(name, default)


def check_tools(environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yields tools that are missing for what the settings ask."""
    from autolog_core.config import read_settings

    try:
        settings = read_settings(environ)
    except AutologError:
        return
    if settings.capture_code and shutil.which("git") is None:
        yield Problem(
            "warning",
            "git is not on the PATH: runs are kept without their commit and diff",
            "install git, or set AUTOLOG_CAPTURE_CODE=false",
        )
    if (
        settings.system_metrics
        and shutil.which("nvidia-smi")
        and installed_version("nvidia-ml-py") is None
    ):
        yield Problem(
            "warning",
            "there is an NVIDIA driver, and the library that reads its GPUs is missing",
            'pip install "autolog-ml[gpu]"',
        )
