"""From a model of Keras and the caller's arguments to a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from autolog._keras.prediction import example_for, output_signature, predict_once
from autolog_core.models import saving
from autolog_core.models.snapshot import Payload, Snapshot


def prepare(model: Any, make: Callable[[], Payload], options: Mapping[str, Any]) -> Snapshot:
    """Returns the snapshot of a model.

    Args:
        model: The model of Keras.
        make: Copies it.
        options: The fields of `autolog_core.models.saving.SaveOptions`.

    Raises:
        InvalidArgument: An option has a wrong value, or the model cannot be saved.
        NotFound: A file that was named is missing.
    """
    example = example_for(model, options.get("input_example"))
    told = saving.SaveOptions(**{**options, "input_example": example})
    found = prepare_first(make, told, lambda data, params=None: predict_once(model, data))
    if found.signature is None and told.signature is None and example is None:
        return replace(found, signature=output_signature(model))
    return found


def prepare_first(
    make: Callable[[], Payload],
    options: saving.SaveOptions,
    predict: Callable[..., Any] | None,
) -> Snapshot:
    """Returns a snapshot that is made after the model has predicted from its example.

    A model that was never called gets its weights, or the traces of its functions, by that.
    """
    checked = saving.prepare(cast(Payload, None), options, predict)
    return replace(checked, payload=make())
