"""Estimators as skops files, and which of their types are known as safe to load."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autolog_core.errors import MissingExtra
from autolog_core.models.flavors import damaged


class Refused(Exception):
    """skops cannot hold an estimator; the message says why."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a library's skops files may hold, besides what skops itself knows as safe.

    Attributes:
        safe: Names of types that anyone may load.
        libraries: Packages whose types may be saved; others need a word of the user.
        extra: Name of the extra of autolog-ml that brings the library and skops.
    """

    safe: frozenset[str]
    libraries: frozenset[str]
    extra: str

    def untrusted(self, types: Iterable[str]) -> list[str]:
        """Returns those types that are not known as safe."""
        return sorted(set(types) - self.safe)


def write_skops(estimator: Any, file: Path, rules: Rules, trusted: Sequence[str] = ()) -> list[str]:
    """Writes an estimator, and loads it once to see that it can be.

    Args:
        estimator: The estimator.
        file: Where to.
        rules: Those of its library.
        trusted: Names of types of the user's own that are safe.

    Returns:
        Names of the types that a reader has to trust besides those of skops.

    Raises:
        Refused: skops cannot hold it, or it has types that neither `rules` nor `trusted` allow.
        MissingExtra: skops is not installed.
    """
    skops = _skops(rules)
    try:
        skops.dump(estimator, file)
        types = sorted(skops.get_untrusted_types(file=file))
    except Exception as error:  # skops raises whatever the estimator's own methods do.
        raise Refused(f"skops cannot hold it ({_first_line(error)})") from error
    own = [name for name in types if name.partition(".")[0] not in rules.libraries]
    foreign = sorted(set(own) - set(trusted))
    if foreign:
        raise Refused(f"skops does not know {', '.join(foreign)}")
    try:
        skops.load(file, trusted=types)
    except Exception as error:  # As above.
        raise Refused(f"skops cannot load it again ({_first_line(error)})") from error
    return types


def read_skops(file: Path, rules: Rules) -> tuple[list[str], Callable[[], Any]]:
    """Returns names of the types of a file that skops does not trust, and what loads it.

    Nothing of the file is loaded before that is called.

    Args:
        file: Where it is.
        rules: Those of its library.

    Raises:
        InvalidArgument: It is no skops file; whoever calls the second is told so too.
        MissingExtra: skops is not installed.
    """
    skops = _skops(rules)
    try:
        types = sorted(skops.get_untrusted_types(file=file))
    except Exception as error:  # Whatever its zip and JSON readers make of the bytes.
        raise damaged(file, f"it is no skops file ({_first_line(error)})") from error

    def load() -> Any:
        try:
            return skops.load(file, trusted=types)
        except Exception as error:  # The constructors of the types raise whatever they like.
            raise damaged(file, f"{type(error).__name__}: {_first_line(error)}") from error

    return types, load


def _skops(rules: Rules) -> Any:
    try:
        import skops.io
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"skops is needed for this model: pip install 'autolog-ml[{rules.extra}]'"
        ) from error
    return skops.io


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
