"""SavedModels: programs of TensorFlow in a folder."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autolog._keras.files import Draft
from autolog._keras.prediction import arrays_of, like_input
from autolog_core.errors import InvalidArgument, MissingExtra

PROGRAM = "it is a SavedModel, a program of TensorFlow that may read and write files"


def export(model: Any, name: str) -> Draft:
    """Writes a model of Keras as a SavedModel, while the caller waits.

    Args:
        model: The model.
        name: Of the folder.

    Raises:
        InvalidArgument: It cannot be exported.
    """
    draft = Draft()
    quiet = "verbose" in inspect.signature(model.export).parameters
    try:
        model.export(str(draft.folder / name), **({"verbose": False} if quiet else {}))
    except OSError:
        raise
    except Exception as error:  # It traces code of the model's own classes.
        raise InvalidArgument(
            f"the model {type(model).__name__} cannot be exported: {type(error).__name__}: {error}"
        ) from error
    return draft


def load_saved_model(folder: Path, options: Mapping[str, Any] | None = None) -> Any:
    """Loads a SavedModel, which runs it: ask for trust before.

    Args:
        folder: Where it is.
        options: Arguments for ``tf.saved_model.load``.

    Raises:
        InvalidArgument: It is damaged, or an argument has a wrong value.
        MissingExtra: TensorFlow is not installed.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise MissingExtra(
            f"{folder} is loaded by TensorFlow, which is not installed: pip install tensorflow"
        ) from error
    try:
        return tf.saved_model.load(str(folder), **(options or {}))
    except (OSError, ValueError, TypeError, KeyError, tf.errors.OpError) as error:
        raise InvalidArgument(f"{folder} cannot be loaded: {error}") from error


class SavedModelWrapper:
    """A program of TensorFlow that predicts as any model does.

    Args:
        model: A module, or a SavedModel.
        call: What predicts; absent, the model itself, or the signature that it is served by.
    """

    def __init__(self, model: Any, call: Callable[..., Any] | None = None) -> None:
        self.model = model
        self._call = call or (model if callable(model) else _served(model))

    def get_raw_model(self) -> Any:
        """Returns the module or SavedModel."""
        return self.model

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Returns what the model predicts.

        Args:
            data: A table, an array, a list, or a mapping of arrays.
            params: Not used: such models take none.

        Returns:
            Arrays in the structure that the model gives; a table for a table, where the output has
            one or two axes.

        Raises:
            InvalidArgument: The data is of another kind.
        """
        import tensorflow as tf

        given = arrays_of(data)
        several = isinstance(given, (list, tuple)) and any(isinstance(e, np.ndarray) for e in given)
        if isinstance(given, Mapping) or several:
            tensors = tf.nest.map_structure(tf.convert_to_tensor, given)
        else:
            tensors = tf.convert_to_tensor(given)
        found = tf.nest.map_structure(_to_numpy, self._call(tensors))
        return like_input(data, found)


def _to_numpy(value: Any) -> Any:
    return value.numpy() if hasattr(value, "numpy") else value


def _served(model: Any) -> Callable[[Any], Any]:
    """Returns the function by which a SavedModel without a call of its own is served.

    Raises:
        InvalidArgument: It has none.
    """
    signature = getattr(model, "signatures", {}).get("serving_default")
    if signature is None:
        raise InvalidArgument(
            f"the model {type(model).__name__} cannot be called and has no signature "
            "'serving_default', so it does not predict; give the module a method __call__"
        )
    _, named = signature.structured_input_signature

    def call(tensors: Any) -> Any:
        if isinstance(tensors, Mapping):
            return signature(**tensors)
        if len(named) != 1:
            raise InvalidArgument(
                f"the model takes {', '.join(sorted(named))}: give a mapping of these to arrays"
            )
        return signature(**{next(iter(named)): tensors})

    return call
