"""Sources on the web."""

from __future__ import annotations

from autolog_core.data import DatasetSource, resolve_source
from autolog_core.errors import InvalidArgument

__all__ = ["HTTPDatasetSource"]


class HTTPDatasetSource(DatasetSource):
    """Data at an address of the web.

    Args:
        url: The address; passwords and signatures are left out.

    Raises:
        InvalidArgument: It is no such address.
    """

    __slots__ = ()

    def __init__(self, url: str) -> None:
        found = resolve_source(url)
        if found.source_type != "http":
            raise InvalidArgument(f"url must begin with http:// or https://, got {url!r:.80}")
        super().__init__(found.source_type, found.fields)
