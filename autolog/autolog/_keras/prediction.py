"""Predicting with a model of Keras: once before it is saved, and as any model does afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from autolog_core.data import kinds
from autolog_core.errors import InvalidArgument
from autolog_core.models.schema import Schema, TensorSpec
from autolog_core.models.signature import ModelSignature
from autolog_core.models.tables import as_pandas


def example_for(model: Any, example: Any) -> Any:
    """Returns an input example, as a mapping where it is a list of one array for each input."""
    names = input_names(model)
    several = isinstance(example, list) and len(example) == len(names) > 1
    if several and all(isinstance(each, np.ndarray) for each in example):
        return dict(zip(names, example, strict=True))
    return example


def input_names(model: Any) -> list[str]:
    """Returns the names of a model's inputs, as far as it tells them."""
    given = _structure(model, "input")
    if isinstance(given, Mapping):
        return list(given)
    return [str(each.name) for each in _structure(model, "inputs") or ()]


def _structure(model: Any, name: str) -> Any:
    # A model that has not been called may know its tensors, but not how they are nested.
    try:
        return getattr(model, name, None)
    except ValueError:
        return None


def predict_once(model: Any, data: Any) -> Any:
    """Returns what a model gives for an example, named where it gives several arrays.

    No function of the model is traced, and its state stays as it is: what a call of the model
    assigns, such as seeds, is dropped.
    """
    import keras

    if _predicts_itself(model):
        with keras.StatelessScope() if model.built else contextlib.nullcontext():
            found = model(_arranged(model, arrays_of(data)), training=False)
    else:
        # Its history would be replaced by an empty one.
        history = getattr(model, "history", None)
        try:
            found = _predict(model, arrays_of(data))
        finally:
            if history is not None:
                model.history = history
    return _named(model, keras.tree.map_structure(_to_numpy, found))


def _to_numpy(tensor: Any) -> Any:
    import keras

    array = keras.ops.convert_to_numpy(tensor)
    if array.dtype.kind == "V":
        raise InvalidArgument(f"signatures do not know the dtype {array.dtype}")
    return array


def _predicts_itself(model: Any) -> bool:
    """Whether predicting is no more than calling the model."""
    import keras

    plain = keras.Model
    return type(model).predict is plain.predict and type(model).predict_step is plain.predict_step


def _predict(model: Any, data: Any) -> Any:
    import keras

    data = _arranged(model, data)
    if type(model).predict is keras.Model.predict:
        return model.predict(data, verbose=0)
    return model.predict(data)


def _arranged(model: Any, data: Any) -> Any:
    """Returns a mapping as a list, for a model that takes a list."""
    given = _structure(model, "input")
    if not isinstance(data, Mapping) or given is None or isinstance(given, Mapping):
        return data
    # Some versions of Keras would take the arrays in the order of their sorted names.
    names = input_names(model)
    if set(names) != set(data):
        return data
    found = [data[name] for name in names]
    return found if isinstance(given, (list, tuple)) else found[0]


def _named(model: Any, outputs: Any) -> Any:
    if isinstance(outputs, (list, tuple)):
        names = getattr(model, "output_names", None) or range(len(outputs))
        return {str(name): each for name, each in zip(names, outputs, strict=True)}
    return outputs


def output_signature(model: Any) -> ModelSignature | None:
    """Returns what a model says of its output; None where it says nothing.

    What it takes is left out: Keras takes any numbers and converts them, and a signature would
    refuse all but one dtype.
    """
    tensors = _structure(model, "outputs")
    if not tensors:
        return None
    given = _structure(model, "output")
    named = isinstance(given, Mapping)
    names = list(given) if named else getattr(model, "output_names", None) or range(len(tensors))
    specs = []
    for name, tensor in zip(names, tensors, strict=True):
        if tensor.dtype == "bfloat16" or tensor.shape is None or not len(tensor.shape):
            return None
        shape = [-1, *(-1 if length is None else length for length in tensor.shape[1:])]
        label = str(name) if named or len(tensors) > 1 else None
        specs.append(TensorSpec(np.dtype(tensor.dtype), shape, label))
    return ModelSignature(outputs=Schema(specs))


class KerasWrapper:
    """A model of Keras that predicts as any model does.

    Args:
        keras_model: The model.
    """

    def __init__(self, keras_model: Any) -> None:
        self.keras_model = keras_model

    def get_raw_model(self) -> Any:
        """Returns the model of Keras."""
        return self.keras_model

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Returns what the model predicts.

        Args:
            data: A table, whose columns are the features of one input; an array, a mapping of
                arrays by the names of inputs, or a list of arrays.
            params: Not used: models of Keras take none.

        Returns:
            An array, or a mapping or list of such where the model gives several; a table for a
            table, where the output has one or two axes.

        Raises:
            InvalidArgument: The data is of another kind.
        """
        return like_input(data, _predict(self.keras_model, arrays_of(data)))


def arrays_of(data: Any) -> Any:
    """Returns data as models of Keras and TensorFlow take it: a table as one array.

    Raises:
        InvalidArgument: It is of a kind that they do not take.
    """
    data = as_pandas(data)
    kind = kinds.kind_of(data)
    if kind == kinds.PANDAS_FRAME:
        return _texts(data.to_numpy())
    if kind not in (kinds.ARRAY, kinds.TENSOR, kinds.LIST, kinds.DICT):
        raise InvalidArgument(
            "the data must be a table, an array, a list or a mapping of arrays, got "
            f"{type(data).__name__}"
        )
    if kind == kinds.DICT:
        return {name: _texts(each) for name, each in data.items()}
    return [_texts(each) for each in data] if kind == kinds.LIST else _texts(data)


def _texts(array: Any) -> Any:
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "USO":
        return array
    import keras

    # Keras predicts from tensors of text, but from no arrays of it.
    return keras.ops.convert_to_tensor(array)


def like_input(data: Any, found: Any) -> Any:
    """Returns a prediction as a table with the index of `data`, where that is one."""
    frame = as_pandas(data)
    if kinds.kind_of(frame) != kinds.PANDAS_FRAME or getattr(found, "ndim", 0) not in (1, 2):
        return found
    import pandas as pd

    return pd.DataFrame(found, index=frame.index)
