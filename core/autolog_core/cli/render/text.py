"""Numbers, times and names as short text."""

from __future__ import annotations

import math
import re
from datetime import datetime

_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_ESCAPES = {9: "\\t", 10: "\\n", 13: "\\r"}
_CONTROLS = {
    code: _ESCAPES.get(code, "\ufffd")
    for code in (*range(32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def plain(text: str) -> str:
    """Returns `text` on one line and without the characters that steer a terminal.

    Names and tags come from programs that others wrote: an escape sequence in one must not
    recolour the screen, and a tab must not shift the columns of a piped table.
    """
    return text if text.isprintable() else text.translate(_CONTROLS)


def plain_lines(text: str) -> str:
    """Returns `text` with its line breaks kept and other control characters made harmless."""
    return "\n".join(plain(line.expandtabs(4)) for line in text.splitlines())


def without_login(text: str) -> str:
    """Returns `text` with the user and password of any URL in it masked."""
    return _LOGIN.sub("***", text)


def number(value: float | None, digits: int = 5) -> str:
    """Returns `value` with about `digits` significant digits; None is an empty string."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if value == int(value) and abs(value) < 1e9:
        return str(int(value))
    if abs(value) >= 10**digits and abs(value) < 1e9:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def exact(value: float | None) -> str:
    """Returns `value` so that it reads back the same; whole numbers keep their point."""
    return "" if value is None else repr(value)


def count(value: int) -> str:
    """Returns `value` with thousands set apart."""
    return f"{value:,}"


def plural(value: int, word: str) -> str:
    """Returns such as ``"1 run"`` and ``"1,204 runs"``."""
    return f"{value:,} {word}" if value == 1 else f"{value:,} {word}s"


def duration(milliseconds: int | None) -> str:
    """Returns a length of time in its two largest units."""
    if milliseconds is None:
        return ""
    if milliseconds < 0:
        return "-" + duration(-milliseconds)
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h {minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02d}h"


def ago(then: int | None, now: int) -> str:
    """Returns how long before `now` a time was; a date when that is over a month.

    Args:
        then: Milliseconds since the epoch.
        now: Milliseconds since the epoch.
    """
    if then is None:
        return ""
    seconds = (now - then) // 1000
    if seconds < 0:
        return local_time(then)
    if seconds < 5:
        return "just now"
    for size, limit, unit in ((1, 60, "s"), (60, 60, "min"), (3600, 48, "h"), (86400, 31, "d")):
        if seconds // size < limit:
            return f"{seconds // size} {unit} ago"
    return _moment(then, "%Y-%m-%d")


def when(then: int, now: int) -> str:
    """Returns a time as the reader's clock shows it, and how long ago it was if that is recent."""
    short = ago(then, now)
    return f"{local_time(then)} ({short})" if short.endswith(("ago", "now")) else local_time(then)


def local_time(milliseconds: int | None) -> str:
    """Returns a time as the reader's clock shows it."""
    return "" if milliseconds is None else _moment(milliseconds, "%Y-%m-%d %H:%M:%S")


def iso_time(milliseconds: int | None) -> str:
    """Returns a time in ISO 8601 with milliseconds and the offset from UTC."""
    if milliseconds is None:
        return ""
    try:
        return (
            datetime.fromtimestamp(milliseconds / 1000)
            .astimezone()
            .isoformat(timespec="milliseconds")
        )
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)


def _moment(milliseconds: int, form: str) -> str:
    try:
        return datetime.fromtimestamp(milliseconds / 1000).strftime(form)
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)


def size(amount: int | None) -> str:
    """Returns a number of bytes in a unit that keeps it short."""
    if amount is None:
        return ""
    if amount < 1000:
        return f"{amount} B"
    value = float(amount)
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        value /= 1000
        if value < 999.5 or unit == "PB":
            return f"{value:.3g} {unit}"
    raise AssertionError("unreachable")


def shorten(text: str, width: int, mark: str = "…") -> str:
    """Returns `text` in at most `width` terminal cells; the middle goes, the ends stay."""
    from rich.cells import cell_len

    if cell_len(text) <= width:
        return text
    if width <= len(mark):
        return mark[:width]
    room = width - len(mark)
    head = _take(text, (room + 1) // 2 + room // 4)
    tail = _take(text[::-1], room - cell_len(head))[::-1]
    return head + mark + tail


def _take(text: str, width: int) -> str:
    from rich.cells import cell_len

    taken = 0
    for position, character in enumerate(text):
        taken += cell_len(character)
        if taken > width:
            return text[:position]
    return text
