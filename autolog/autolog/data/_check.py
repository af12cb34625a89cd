"""Checks of the data that are given."""

from __future__ import annotations

from typing import Any

from autolog_core.data import kinds
from autolog_core.errors import InvalidArgument


def check_kind(value: Any, wanted: tuple[str, ...], argument: str, words: str) -> None:
    """Checks that a value is of one of the kinds `wanted`, which `words` describe.

    Raises:
        InvalidArgument: It is not.
    """
    if kinds.kind_of(value) not in wanted:
        raise InvalidArgument(f"{argument} must be {words}, got {type(value).__name__}")
