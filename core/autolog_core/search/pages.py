"""Page tokens: base64 of ``{"offset": n}``, as in MLflow's protocol."""

from __future__ import annotations

import base64
import binascii
import json

from autolog_core.errors import InvalidArgument

MAX_OFFSET = 2**53


def encode_token(offset: int) -> str:
    """Returns the token of the page that begins after `offset` results."""
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()


def decode_token(token: str | bytes | None) -> int:
    """Returns how many results the page of `token` leaves out; 0 without a token.

    Raises:
        InvalidArgument: It is no token that a search gave out.
    """
    if not token:
        return 0
    try:
        content = json.loads(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        content = None
    offset = content.get("offset") if isinstance(content, dict) else None
    if type(offset) is not int or not 0 <= offset <= MAX_OFFSET:
        raise InvalidArgument(
            f"page_token {str(token)[:80]!r} is no token of a search; "
            "pass the token of the page before, or none for the first page"
        )
    return offset
