"""Column types for text and bytes of any length.

They do what a variant with MySQL's own types would, without importing its dialect, which takes as
long as the rest of the store together.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import LargeBinary, Text
from sqlalchemy.ext.compiler import compiles


class LongText(Text):
    """Text; LONGTEXT on MySQL, whose TEXT ends at 64 kB."""

    __visit_name__ = "autolog_long_text"


class LongBlob(LargeBinary):
    """Bytes; LONGBLOB on MySQL, whose BLOB ends at 64 kB."""

    __visit_name__ = "autolog_long_blob"


@compiles(LongText)
def _text(element: Any, compiler: Any, **options: Any) -> str:
    if compiler.dialect.name in ("mysql", "mariadb"):
        return "LONGTEXT"
    return str(compiler.visit_text(element, **options))


@compiles(LongBlob)
def _blob(element: Any, compiler: Any, **options: Any) -> str:
    if compiler.dialect.name in ("mysql", "mariadb"):
        return "LONGBLOB"
    return str(compiler.visit_large_binary(element, **options))
