"""Page tokens: base64 of ``{"offset": n}``, as in MLflow's protocol, perhaps with the query."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from autolog_core.errors import InvalidArgument

MAX_OFFSET = 2**53


def encode_token(offset: int, query: object = None) -> str:
    """Returns the token of the page that begins after `offset` results.

    Args:
        offset: How many results come before.
        query: What was searched, as plain data, if the token is to fit that search alone.
    """
    content: dict[str, object] = {"offset": offset}
    if query is not None:
        content["query"] = _fingerprint(query)
    return base64.b64encode(json.dumps(content).encode()).decode()


def decode_token(token: str | bytes | None, query: object = None) -> int:
    """Returns how many results the page of `token` leaves out; 0 without a token.

    Args:
        token: As `encode_token` returned it.
        query: What is searched, if that is pinned.

    Raises:
        InvalidArgument: It is no token that a search gave out, or that of another search.
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
    if query is not None and content.get("query") != _fingerprint(query):
        raise InvalidArgument(
            "page_token belongs to another search: pass the same experiments, filter, datasets and "
            "ordering as for the page before"
        )
    return offset


def _fingerprint(query: object) -> str:
    return hashlib.sha256(json.dumps(query).encode()).hexdigest()[:16]
