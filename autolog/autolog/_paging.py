"""Results over many pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from autolog_core.entities import Page
from autolog_core.errors import InvalidArgument

T = TypeVar("T")
PAGE_SIZE = 10_000


def collect(fetch: Callable[[int, str | None], Page[T]], max_results: int | None) -> list[T]:
    """Returns the results of page after page, at most `max_results`.

    Args:
        fetch: Returns the page of a size and a token.
        max_results: None for all.

    Raises:
        InvalidArgument: `max_results` is below 1.
    """
    if max_results is not None and (
        isinstance(max_results, bool) or not isinstance(max_results, int) or max_results < 1
    ):
        raise InvalidArgument(f"max_results must be a whole number from 1, got {max_results!r}")
    found: list[T] = []
    token: str | None = None
    while True:
        size = PAGE_SIZE if max_results is None else min(PAGE_SIZE, max_results - len(found))
        page = fetch(size, token)
        found.extend(page)
        token = page.token
        if token is None or (max_results is not None and len(found) >= max_results):
            return found
