"""Splits a filter into tokens, and draws where an error is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from autolog_core.errors import InvalidFilter

MAX_LENGTH = 1_000_000
"""Characters of the longest filter."""

_WINDOW = 36
_ESCAPED = {"`": "``", '"': '""', "'": "''"}


class Kind(Enum):
    """What a token is; the value is the word for it in messages."""

    PATH = "a field"
    WORD = "a word"
    NAME = "a quoted name"
    STRING = "a quoted value"
    NUMBER = "a number"
    OPERATOR = "a comparison"
    OPEN = "'('"
    CLOSE = "')'"
    COMMA = "','"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a filter.

    Attributes:
        text: The text without quotes; of a path, its key.
        prefix: Of a path, what stands before the first dot.
        start: Index of its first character.
        end: Index after its last character.
    """

    kind: Kind
    text: str
    start: int
    end: int
    prefix: str = ""


_QUOTED = r"`(?:``|[^`])*`|\"(?:\"\"|[^\"])*\"|'(?:''|[^'])*'"
_PATTERN = re.compile(
    rf"""
      (?P<space>\s+)
    | (?P<path>(?P<prefix>[^\W\d]\w*|`[^`]*`)\.(?P<key>{_QUOTED}|[\w.:/\-]+))
    | (?P<word>[^\W\d]\w*)
    | (?P<name>`(?:``|[^`])*`)
    | (?P<string>"(?:""|[^"])*"|'(?:''|[^'])*')
    | (?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]))
    | (?P<operator>[<>=!~&|]+)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<comma>,)
    """,
    re.VERBOSE,
)
_KINDS = {
    "word": Kind.WORD,
    "name": Kind.NAME,
    "string": Kind.STRING,
    "number": Kind.NUMBER,
    "operator": Kind.OPERATOR,
    "open": Kind.OPEN,
    "close": Kind.CLOSE,
    "comma": Kind.COMMA,
}


def tokenize(source: str) -> list[Token]:
    """Returns the tokens of `source`, with one of kind `END` at last.

    Raises:
        InvalidFilter: A character or quote does not fit, or the text is too long.
    """
    _check_text(source)
    tokens = []
    position = 0
    while position < len(source):
        match = _PATTERN.match(source, position)
        if match is None:
            raise error(_complaint(source, position), source, position)
        end = match.end()
        group = match.lastgroup or ""
        if match["path"] is not None:
            key = _unquote(match["key"])
            tokens.append(Token(Kind.PATH, key, position, end, _unquote(match["prefix"])))
        elif group != "space":
            tokens.append(Token(_KINDS[group], _unquote(match[0]), position, end))
        position = end
    tokens.append(Token(Kind.END, "", len(source), len(source)))
    return tokens


def error(message: str, source: str, position: int) -> InvalidFilter:
    """Returns an error that shows `position` in `source` with a caret under it."""
    first = max(0, position - _WINDOW)
    last = min(len(source), position + _WINDOW)
    head = "..." if first else ""
    tail = "..." if last < len(source) else ""
    shown = "".join(c if c.isprintable() else " " for c in source[first:last])
    caret = " " * (len(head) + position - first) + "^"
    return InvalidFilter(
        f"{message} (at character {position + 1})\n  {head}{shown}{tail}\n  {caret}"
    )


def quote(text: str, mark: str) -> str:
    """Returns `text` between quotes `mark`, quotes within doubled."""
    return mark + text.replace(mark, _ESCAPED[mark]) + mark


def _unquote(text: str) -> str:
    mark = text[:1]
    return text[1:-1].replace(_ESCAPED[mark], mark) if mark in _ESCAPED else text


def _check_text(source: str) -> None:
    if len(source) > MAX_LENGTH:
        raise InvalidFilter(
            f"the filter has {len(source)} characters, at most {MAX_LENGTH} are allowed"
        )
    if "\0" in source:
        raise error("a NUL character cannot be searched for", source, source.index("\0"))
    try:
        source.encode()
    except UnicodeEncodeError as problem:
        raise error("not a Unicode character", source, problem.start) from None


def _complaint(source: str, position: int) -> str:
    character = source[position]
    if character in _ESCAPED:
        return f"the quote {character} is never closed"
    if character == ".":
        return "a key must follow the dot; quote a key with odd characters: metrics.`my key`"
    if character.isdigit() or character in "+-":
        return "not a number"
    if character == ";":
        return "';' has no place in a filter: remove it"
    return f"unexpected character {character!r}"
