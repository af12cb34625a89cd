"""Which fields a search knows. A new kind of entity is a new `Scope` and nothing else here."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from autolog_core.search.tree import Field, Kind


class Type(Enum):
    """What a field holds; the value is the word for it in messages."""

    TEXT = "text"
    NUMBER = "a number"
    TIME = "milliseconds"
    ID = "a numeric id"
    LABEL = "text or a number"


@dataclass(frozen=True, slots=True)
class Scope:
    """The fields of one kind of entity.

    Attributes:
        plural: The word for the entities in messages.
        attributes: Plain names with what they hold.
        aliases: Other names of attributes.
        kinds: The kinds of keyed fields there are.
        prefixes: What may stand before the dot of an attribute.
        ordered: The kinds that results may be ordered by.
        functions: Whether there are min and max of a metric.
        words: Other spellings of an attribute's values, by attribute and spelling.
    """

    plural: str
    attributes: Mapping[str, Type]
    aliases: Mapping[str, str]
    kinds: frozenset[Kind]
    prefixes: frozenset[str]
    ordered: frozenset[Kind]
    functions: bool = True
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


KIND_OF_PREFIX: Mapping[str, Kind] = {
    "metric": "metric",
    "metrics": "metric",
    "param": "param",
    "params": "param",
    "parameter": "param",
    "parameters": "param",
    "tag": "tag",
    "tags": "tag",
    "dataset": "dataset",
    "datasets": "dataset",
}
_COMMON = ("metrics", "params", "tags", "datasets")
_SHOWN = 60
DATASET_KEYS = ("name", "digest", "context")

RUNS = Scope(
    plural="runs",
    attributes={
        "run_id": Type.TEXT,
        "run_name": Type.TEXT,
        "status": Type.TEXT,
        "artifact_uri": Type.TEXT,
        "user_id": Type.TEXT,
        "start_time": Type.TIME,
        "end_time": Type.TIME,
        "duration": Type.TIME,
    },
    aliases={
        "created": "start_time",
        "Created": "start_time",
        "run name": "run_name",
        "Run name": "run_name",
        "Run Name": "run_name",
    },
    kinds=frozenset(("metric", "param", "tag", "dataset")),
    prefixes=frozenset(("attribute", "attributes", "attr", "run")),
    ordered=frozenset(("attribute", "metric", "param", "tag")),
)

EXPERIMENTS = Scope(
    plural="experiments",
    attributes={
        "name": Type.TEXT,
        "experiment_id": Type.ID,
        "creation_time": Type.TIME,
        "last_update_time": Type.TIME,
    },
    aliases={},
    kinds=frozenset(("tag",)),
    prefixes=frozenset(("attribute", "attributes", "attr")),
    ordered=frozenset(("attribute",)),
)


MODELS = Scope(
    plural="logged models",
    attributes={
        "name": Type.TEXT,
        "model_id": Type.TEXT,
        "model_type": Type.TEXT,
        "source_run_id": Type.TEXT,
        "status": Type.TEXT,
        "creation_timestamp": Type.TIME,
        "last_updated_timestamp": Type.TIME,
    },
    aliases={
        "creation_time": "creation_timestamp",
        "last_updated_time": "last_updated_timestamp",
    },
    kinds=frozenset(("metric", "param", "tag")),
    prefixes=frozenset(("attribute", "attributes", "attr", "model")),
    ordered=frozenset(("attribute", "metric", "param", "tag")),
    functions=False,
    # The protocol's numbers and words; a quoted number is one too.
    words={
        "status": {
            "0": "UNSPECIFIED",
            "1": "PENDING",
            "2": "READY",
            "3": "FAILED",
            "UPLOAD_FAILED": "FAILED",
            "LOGGED_MODEL_PENDING": "PENDING",
            "LOGGED_MODEL_READY": "READY",
            "LOGGED_MODEL_UPLOAD_FAILED": "FAILED",
        }
    },
)


def type_of(field: Field, scope: Scope) -> Type:
    """Returns what `field` holds."""
    if field.kind == "metric":
        return Type.NUMBER
    if field.kind == "param":
        return Type.LABEL
    if field.kind == "attribute":
        return scope.attributes[field.key]
    return Type.TEXT


def resolve_name(name: str, scope: Scope) -> Field:
    """Returns the attribute called `name`.

    Raises:
        LookupError: There is none; the message says what was meant, perhaps.
    """
    plain = scope.aliases.get(name, name)
    if plain in scope.attributes:
        return Field("attribute", plain)
    known = (*scope.attributes, *scope.aliases)
    guess = _guess(name, known)
    if not guess and name in KIND_OF_PREFIX:
        guess = f"; a key must follow: {name}.key"
    if not guess:
        places = " or ".join(
            f"{prefix}.{name}"
            for prefix in ("metrics", "params", "tags")
            if KIND_OF_PREFIX[prefix] in scope.kinds and len(name) <= _SHOWN
        )
        meant = f"did you mean {places}? " if places else ""
        listed = ", ".join(scope.attributes)
        guess = f"; {meant}Attributes are {listed}"
    raise LookupError(f"unknown attribute {_short(name)} of {scope.plural}{guess}")


def resolve_path(prefix: str, key: str, scope: Scope) -> Field:
    """Returns the field ``prefix.key``.

    Raises:
        LookupError: There is none; the message says what was meant, perhaps.
    """
    if prefix in scope.prefixes:
        return resolve_name(key, scope)
    kind = KIND_OF_PREFIX.get(prefix)
    if kind is None or kind not in scope.kinds:
        known = (*(p for p in _COMMON if KIND_OF_PREFIX[p] in scope.kinds), "attributes")
        raise LookupError(
            f"unknown prefix {_short(prefix)} in a search of {scope.plural}"
            + (_guess(prefix, known) or f"; prefixes are {', '.join(known)}")
        )
    if not key:
        raise LookupError("the key is empty")
    if kind == "dataset" and key not in DATASET_KEYS:
        listed = ", ".join(DATASET_KEYS)
        raise LookupError(
            f"unknown key {_short(key)} of datasets"
            + (_guess(key, DATASET_KEYS) or f"; keys: {listed}")
        )
    return Field(kind, key)


def _guess(word: str, known: tuple[str, ...]) -> str:
    lower = {name.lower(): name for name in reversed(known)}
    close = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.7)
    return f"; did you mean {lower[close[0]]!r}?" if close else ""


def _short(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else name[: _SHOWN - 3] + "...")
