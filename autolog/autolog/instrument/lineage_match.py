"""Which prediction the arguments of a call are: the same array, a view of it, or a copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from autolog.instrument.lineage_memory import (
    Array,
    Memory,
    fingerprint,
    is_array,
    is_decision,
    is_telling,
    owner_of,
)
from autolog.instrument.lineage_records import (
    Given,
    Model,
    Prediction,
    predictions,
    recent,
    weak,
)
from autolog.instrument.lineage_split import part_of

_PREDICTED = frozenset(("y_pred", "y_score", "y_proba", "y_prob", "labels_pred")) | frozenset(
    ("labels", "pred_decision", "probas_pred")
)
"""Parameters that take a prediction; without names, it is the second."""
_HOLDERS = frozenset(
    (library, name) for library in ("pandas", "polars") for name in ("Series", "DataFrame")
)
_COLUMNS = 100
"""Columns of a prediction that are looked at one by one."""
_TRIED = 16
"""Predictions of which those may be that are compared."""


class Found(NamedTuple):
    """A prediction that a call was given.

    Attributes:
        model: Which predicted it.
        given: From what.
        rows: The rows that the call was given; None for all.
        value: The argument that it is.
    """

    model: Model
    given: Given
    rows: slice | None
    value: Any


def remember(model: Model, given: Given, result: Any, *, content: bool = True) -> None:
    """Remembers that a model predicted `result`, an array or a list of one for each output.

    Args:
        model: The model.
        given: From what.
        result: The prediction; no reference to it is kept.
        content: Whether copies are to be known, too.
    """
    if isinstance(result, list):
        for each in result:
            if is_array(each):
                remember(model, given, each, content=content)
        return
    shape = getattr(result, "shape", None)
    rows = shape[0] if isinstance(shape, tuple) and shape and isinstance(shape[0], int) else 0
    prediction = Prediction(model, given, rows)
    owner: Any = result
    data = _alive(given.data)
    if result is data:
        return
    if is_array(result):
        if result.base is not None:
            owner = owner_of(result)
            if is_array(data) and owner_of(data) is owner:
                # It was handed through: what lies there is the user's data.
                return
            prediction.memory = Memory(result)
        if content and rows > 1:
            prediction.content = fingerprint(result)
            prediction.result = weak(owner)
            _keep(prediction)
    predictions.put(owner, prediction)


def relate(found: Found, result: Any) -> None:
    """Remembers that `result` was made of a prediction, such as an axis of its ROC curve."""
    if is_array(result) and result.base is None:
        predictions.put(result, Prediction(found.model, found.given, len(result)))


def find(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Found | None:
    """Returns the prediction among the arguments of a call, by parameter or in their order."""
    if not len(predictions) and not len(recent):
        return None
    first, rest = list(args[1:2]), [*args[:1], *args[2:]]
    for name, value in kwargs.items():
        (first if name in _PREDICTED else rest).append(value)
    for look, values in ((_same, first), (_same, rest), (_equal, first)):
        for value in values:
            found = look(value)
            if found is not None:
                return found
    return None


def _same(value: Any) -> Found | None:
    """Returns the prediction that `value` is, or is a view of."""
    view = is_array(value) and value.base is not None
    owner = owner_of(value) if view else value
    prediction = predictions.get(owner)
    if prediction is None or (prediction.memory is not None and not view):
        return None
    rows = None
    if view and value.ndim and len(value) != prediction.rows:
        rows = Memory(value).rows_of(prediction.memory or Memory(owner))
        if rows is None:
            return None
    return Found(prediction.model, prediction.given, rows, value)


def _keep(prediction: Prediction) -> None:
    """Keeps a prediction for its content; of equal ones the one that is kept must live longest."""
    before = None
    if prediction.content is not None:
        before = recent.find(prediction.rows, prediction.content)
    if before is not None:
        data, other = _alive(prediction.given.data), _alive(before.given.data)
        if before.model is prediction.model and data is other and _alive(before.result) is not None:
            prediction = before
        elif data is not other and data is not None and other is not None:
            # A copy may be of either.
            prediction.is_ambiguous = True
    recent.add(prediction)


def _equal(value: Any) -> Found | None:
    """Returns the newest prediction whose content `value` holds, as a copy or as decisions."""
    try:
        rows = len(value)
    except TypeError:
        return None
    if not recent.any_of(rows) or part_of(value) is not None:
        # What a split made is data, though a perfect prediction equals it.
        return None
    array = _array_of(value)
    content = None if array is None or not array.ndim else fingerprint(array, whole=True)
    if array is None or content is None:
        return None
    prediction = _newest(array, content)
    if prediction is None or prediction.is_ambiguous or not is_telling(array):
        return None
    return Found(prediction.model, prediction.given, None, value)


def _newest(array: Array, content: int) -> Prediction | None:
    """Returns the newest prediction that is equal, or of which these are a column or decisions."""
    tried = 0
    for each in recent.of(len(array)):
        if each.content == content:
            return each
        result = _result_of(each)
        if result is None:
            continue
        tried += 1
        if tried > _TRIED:
            return None
        if content in _contents_of(each, result) or is_decision(array, result):
            return each
    return None


def _contents_of(prediction: Prediction, result: Array) -> tuple[int | None, ...]:
    """Returns the fingerprints of the columns, or of all where it was too large to take it."""
    if prediction.contents is None:
        taken: list[int | None] = []
        if prediction.content is None:
            taken.append(fingerprint(result, whole=True))
        if result.ndim == 2 and result.shape[1] <= _COLUMNS:
            taken += [fingerprint(column, whole=True) for column in result.T]
        prediction.contents = tuple(taken)
    return prediction.contents


def _result_of(prediction: Prediction) -> Array | None:
    """Returns the array that was predicted, while it is there."""
    owner: Array | None = _alive(prediction.result)
    if owner is None or prediction.memory is None:
        return owner
    return prediction.memory.again()


def _alive(reference: Any) -> Any:
    return None if reference is None else reference()


def _array_of(value: Any) -> Array | None:
    """Returns the values of a list, an array or a column or table of pandas or polars."""
    import numpy as np

    if is_array(value):
        found: Array = value
        return found
    if _kind(value) not in _HOLDERS and not isinstance(value, (list, tuple)):
        return None
    try:
        array = value.to_numpy() if hasattr(value, "to_numpy") else np.asarray(value)
    except (TypeError, ValueError):
        # Rows of unequal length.
        return None
    return array if is_array(array) else None


def _kind(value: Any) -> tuple[str, str]:
    kind = type(value)
    return kind.__module__.partition(".")[0], kind.__name__
