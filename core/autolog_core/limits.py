"""Every validation rule and length, in one place.

The numbers and the character rules are those of MLflow 3.17's protocol. Over-long values are
refused, never cut in silence.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any
from urllib.parse import urlsplit

from autolog_core.errors import InvalidArgument

KEY_LENGTH = 250
PARAM_VALUE_LENGTH = 6000
TAG_VALUE_LENGTH = 8000
EXPERIMENT_NAME_LENGTH = 500
EXPERIMENT_TAG_VALUE_LENGTH = 20_000
ARTIFACT_LOCATION_LENGTH = 2048
DATASET_NAME_LENGTH = 500
DATASET_DIGEST_LENGTH = 36
DATASET_SCHEMA_LENGTH = 1_048_575
DATASET_SOURCE_LENGTH = 65_535
DATASET_PROFILE_LENGTH = 16_777_215
MODEL_NAME_LENGTH = 500
MODEL_TYPE_LENGTH = 500
INPUT_TAG_KEY_LENGTH = 255
INPUT_TAG_VALUE_LENGTH = 500
MAX_RESULTS = 50_000
INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1

_KEY = re.compile(r"[/\w.\- :]*")
# Most keys: no slash, so they are normal paths already.
_PLAIN_KEY = re.compile(r"\w[\w.\- :]*")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")
_MODEL_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,35}", re.ASCII)
_MODEL_NAME_ODD = re.compile(r"[/:.%\"']")
_HOST_SCHEMES = frozenset(
    ("ftp", "sftp", "hdfs", "viewfs", "http", "https", "r2", "b2", "abfss", "mlflow-artifacts")
)


def check_key(key: object, what: str) -> str:
    """Returns `key` if it is a legal metric, param or tag key.

    Args:
        key: The key.
        what: The word for it in the message, such as ``"metric"``.

    Raises:
        InvalidArgument: It is no string, empty, over 250 characters, has characters other than
            letters, digits, ``_ / . - space :``, or is no normal relative path.
    """
    if not isinstance(key, str):
        raise InvalidArgument(
            f"{what} key must be a string, got {key!r} of type {type(key).__name__}"
        )
    if not key:
        raise InvalidArgument(f"{what} key must not be empty")
    if len(key) > KEY_LENGTH:
        raise InvalidArgument(
            f"{what} key has {len(key)} characters, at most {KEY_LENGTH} are allowed: "
            f"{key[:40]!r}..."
        )
    if _PLAIN_KEY.fullmatch(key):
        return key
    if not _KEY.fullmatch(key):
        raise InvalidArgument(
            f"{what} key {key!r} is invalid: use letters, digits, underscores, dashes, periods, "
            "spaces, colons and slashes only"
        )
    if posixpath.normpath(key) != key or key == "." or key.startswith(("..", "/")):
        raise InvalidArgument(
            f"{what} key {key!r} is invalid: it must be a plain relative path, "
            f"such as {_plain(key)!r}"
        )
    return key


def _plain(key: str) -> str:
    return posixpath.normpath("/" + key).lstrip("/") or "key"


def check_text(value: object, limit: int, what: str) -> str:
    """Returns `value` as text of at most `limit` characters that any store can hold.

    Raises:
        InvalidArgument: It is too long, or holds NUL or lone surrogates.
    """
    text = value if type(value) is str else str(value)
    if len(text) > limit:
        raise InvalidArgument(
            f"{what} has {len(text)} characters, at most {limit} are allowed; "
            "log longer text as an artifact with log_text()"
        )
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidArgument(
                f"{what} cannot be written as UTF-8 (character {error.start}); "
                "encode it with errors='replace' first"
            ) from None
    if "\0" in text:
        raise InvalidArgument(f"{what} holds a NUL character; remove it")
    return text


def check_metric_value(key: str, value: Any) -> float:
    """Returns `value` as a float; one-element arrays and tensors count.

    Raises:
        InvalidArgument: It is no number, or has more than one element.
    """
    if isinstance(value, (str, bytes)):
        raise InvalidArgument(
            f"metric {key!r} must be a number, got {value!r} of type {type(value).__name__}; "
            "log text with log_param() or set_tag()"
        )
    try:
        return float(value)
    except OverflowError:
        raise InvalidArgument(f"metric {key!r}: {value!r} does not fit a 64-bit float") from None
    except Exception:
        try:
            return float(value.item())
        except Exception:
            raise InvalidArgument(
                f"metric {key!r} must be a single number, got {_short(value)} of type "
                f"{type(value).__name__}"
            ) from None


def check_int64(value: Any, what: str) -> int:
    """Returns `value` as an int that fits 64 signed bits.

    Raises:
        InvalidArgument: It is no integer or does not fit.
    """
    try:
        number = value.__index__()
    except Exception:
        if isinstance(value, float) and value.is_integer():
            number = int(value)
        else:
            raise InvalidArgument(
                f"{what} must be an integer, got {_short(value)} of type {type(value).__name__}"
            ) from None
    if not INT64_MIN <= number <= INT64_MAX:
        raise InvalidArgument(f"{what} {number} does not fit 64 bits")
    return int(number)


def check_timestamp(value: Any) -> int:
    """Returns `value` as milliseconds since the epoch.

    Raises:
        InvalidArgument: It is no integer or negative.
    """
    number = check_int64(value, "timestamp")
    if number < 0:
        raise InvalidArgument(f"timestamp must be milliseconds since 1970, got {number}")
    return number


def check_run_id(run_id: object) -> str:
    """Returns `run_id` if it is well formed.

    Raises:
        InvalidArgument: It is not.
    """
    if not isinstance(run_id, str) or not _RUN_ID.fullmatch(run_id):
        raise InvalidArgument(
            f"run id {_short(run_id)} is invalid: a letter or digit, then up to 255 letters, "
            "digits, underscores and dashes"
        )
    return run_id


def check_model_id(model_id: object) -> str:
    """Returns `model_id` if it is well formed.

    Raises:
        InvalidArgument: It is not.
    """
    if not isinstance(model_id, str) or not _MODEL_ID.fullmatch(model_id):
        raise InvalidArgument(
            f"model id {_short(model_id)} is invalid: a letter or digit, then up to 35 letters, "
            "digits, underscores and dashes, such as 'm-' and 32 hex digits"
        )
    return model_id


def check_model_name(name: object) -> str:
    """Returns `name` if it may name a logged model.

    Raises:
        InvalidArgument: It is no string, empty, over 500 characters, or holds one of
            ``/ : . % " '``.
    """
    if not isinstance(name, str) or not name:
        raise InvalidArgument(f"model name must be a non-empty string, got {_short(name)}")
    odd = _MODEL_NAME_ODD.search(name)
    if odd is not None:
        raise InvalidArgument(
            f"model name {_short(name)} must not hold {odd[0]!r}: it becomes part of an address; "
            "none of / : . % \" ' may be in it"
        )
    return check_text(name, MODEL_NAME_LENGTH, "model name")


def check_experiment_name(name: object) -> str:
    """Returns `name` if it may name an experiment.

    Raises:
        InvalidArgument: It is no string, empty or over 500 characters.
    """
    if not isinstance(name, str) or not name.strip():
        raise InvalidArgument(f"experiment name must be a non-empty string, got {_short(name)}")
    return check_text(name, EXPERIMENT_NAME_LENGTH, "experiment name")


def check_artifact_location(location: object) -> str:
    """Returns `location` if artifacts may be kept there.

    Raises:
        InvalidArgument: It is too long, has a fragment, query or parent steps, or is of a scheme
            that is not for this.
    """
    text = check_text(location, ARTIFACT_LOCATION_LENGTH, "artifact_location")
    parts = urlsplit(text)
    if parts.fragment or parts.query or "#" in text or "?" in text:
        raise InvalidArgument(
            f"artifact_location {text!r} must not hold '#' or '?'; give the plain folder or bucket"
        )
    if parts.scheme == "runs" or parts.scheme in _HOST_SCHEMES:
        raise InvalidArgument(f"artifact_location {text!r}: scheme {parts.scheme!r} cannot be used")
    if ".." in re.split(r"[/\\]", text):
        raise InvalidArgument(f"artifact_location {text!r} must not hold '..'")
    return text


def check_artifact_path(path: object) -> str:
    """Returns `path` normalised, relative to a run's artifact root; ``""`` is the root.

    Raises:
        InvalidArgument: It is absolute, steps outside, or holds a backslash, drive or NUL.
    """
    if path is None:
        return ""
    text = str(path)
    if "\0" in text or "\\" in text or re.match(r"[a-zA-Z]:", text) or text.startswith("/"):
        raise InvalidArgument(f"artifact path {text!r} must be relative, with forward slashes")
    if "://" in text or text.startswith("file:") or "#" in text or "?" in text:
        raise InvalidArgument(f"artifact path {text!r} must be a path, not an address")
    if ".." in text.split("/"):
        raise InvalidArgument(f"artifact path {text!r} must not hold '..'")
    plain = posixpath.normpath(text) if text else ""
    return "" if plain == "." else plain


def check_max_results(value: object, limit: int = MAX_RESULTS) -> int:
    """Returns `value` if it is a page size from 1 to `limit`.

    Raises:
        InvalidArgument: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= limit:
        raise InvalidArgument(f"max_results must be from 1 to {limit}, got {_short(value)}")
    return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
