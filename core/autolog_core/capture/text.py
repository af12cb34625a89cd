"""Text that any store can hold, and cuts that say they are cuts."""

from __future__ import annotations


def clean(text: str) -> str:
    """Returns `text` with NUL and lone surrogates written out."""
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def shorten(text: str, limit: int, size: int | None = None) -> str:
    """Returns `text`, its end replaced by a note if it has more than `limit` characters.

    Args:
        size: Characters to tell of in the note, where `text` is a part of something longer.
    """
    if len(text) <= limit:
        return text
    note = f"... [{size or len(text)} characters in all]"
    return text[: limit - len(note)] + note


def shorten_middle(text: str, limit: int) -> str:
    """Returns `text`, its middle replaced by a note if it has more than `limit` characters."""
    if len(text) <= limit:
        return text
    note = f"\n... [{len(text)} characters in all, the middle is left out] ...\n"
    kept = limit - len(note)
    head = kept // 3
    return text[:head] + note + text[len(text) - (kept - head) :]
