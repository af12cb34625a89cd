"""Pages of results, and files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class Page(list[T], Generic[T]):
    """A list of results with the token of the next page, or None on the last one."""

    def __init__(self, items: Iterable[T] = (), token: str | None = None) -> None:
        super().__init__(items)
        self.token = token


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file or folder among artifacts.

    Attributes:
        path: Relative to the artifact root, with forward slashes.
        file_size: Bytes; None for a folder.
    """

    path: str
    is_dir: bool
    file_size: int | None = None
