"""What an exception was, as bounded text."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from autolog_core.capture.text import clean, shorten, shorten_middle

MESSAGE_LENGTH = 2000
TRACEBACK_LENGTH = 100_000


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception as text.

    Attributes:
        type: Full name of its class; built-in ones without their module.
        message: At most 2,000 characters; fits a tag.
        traceback: At most 100,000 characters, causes and groups included; what is too long loses
            its middle, and says so.
    """

    type: str
    message: str
    traceback: str


def describe(exception: BaseException) -> Failure:
    """Returns what `exception` was. Exceptions that cannot say it themselves do no harm."""
    return Failure(
        type=shorten(clean(_type_name(type(exception))), MESSAGE_LENGTH),
        message=shorten(clean(_message(exception)), MESSAGE_LENGTH),
        traceback=shorten_middle(clean(_traceback(exception)), TRACEBACK_LENGTH),
    )


def _type_name(kind: type) -> str:
    module, name = kind.__module__, kind.__qualname__
    return name if module in ("builtins", "__main__") else f"{module}.{name}"


def _message(exception: BaseException) -> str:
    try:
        return str(exception)
    except Exception as error:
        return f"<no message: its __str__ raised {type(error).__name__}>"


def _traceback(exception: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(exception))
    except Exception as error:
        # The formatter trips over exceptions with strange notes or causes; the frames remain.
        frames = "".join(traceback.format_tb(exception.__traceback__))
        return (
            f"Traceback (most recent call last):\n{frames}{_type_name(type(exception))}: "
            f"{_message(exception)}\n[causes left out: formatting raised {type(error).__name__}]\n"
        )
