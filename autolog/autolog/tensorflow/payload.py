"""Models of TensorFlow as they were at one moment, ready to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autolog._keras.files import Draft
from autolog._keras.payload import DATA, HDF5, KERAS, KerasPayload, take
from autolog._keras.saved_model import PROGRAM
from autolog_core.errors import InvalidArgument
from autolog_core.models.extra import copy_files
from autolog_core.models.manifest import PYFUNC
from autolog_core.models.pyfunc import pyfunc_flavor
from autolog_core.models.snapshot import Parts, Payload

FLAVOR = "tensorflow"
LOADER = "mlflow.tensorflow"
MODULE, OF_KERAS = "tf2-module", "keras"
SAVED_MODEL = "tf2model"


@dataclass(frozen=True, slots=True)
class ModulePayload:
    """A module of TensorFlow, whose SavedModel is written already.

    Attributes:
        draft: Where it is.
    """

    draft: Draft

    def write(self, folder: Path) -> Parts:
        """Moves the SavedModel to its place."""
        self.draft.move(folder)
        flavor = {"saved_model_dir": SAVED_MODEL, "model_type": MODULE}
        flavors = {FLAVOR: flavor, PYFUNC: pyfunc_flavor(LOADER)}
        return Parts(flavors, frozenset(("tensorflow",)), (), (PROGRAM,))


@dataclass(frozen=True, slots=True)
class WithFiles:
    """A model and files of the user's that travel with it. They are copied when it is written.

    Attributes:
        payload: The model.
        files: The files.
    """

    payload: Payload
    files: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes of memory that it holds."""
        return int(getattr(self.payload, "size", 0))

    def write(self, folder: Path) -> Parts:
        """Writes the model's own files, and copies the others."""
        parts = self.payload.write(folder)
        kept = copy_files(self.files, folder)
        flavors = {**parts.flavors, FLAVOR: {**parts.flavors[FLAVOR], **kept}}
        return replace(parts, flavors=flavors)


def of_keras(
    model: Any, save_kwargs: Mapping[str, Any] | None, custom_objects: Mapping[str, Any] | None
) -> KerasPayload:
    """Copies a model of Keras.

    Raises:
        InvalidArgument: It cannot be saved, or an argument has a wrong value.
    """
    import tensorflow as tf

    form = "tf" if not isinstance(save_kwargs, Mapping) else save_kwargs.get("save_format", "tf")
    if form not in ("tf", "keras", "h5"):
        raise InvalidArgument(f"save_format must be 'tf', 'keras' or 'h5', got {form!r}")
    plain = (
        {name: each for name, each in save_kwargs.items() if name != "save_format"}
        if isinstance(save_kwargs, Mapping)
        else save_kwargs
    )
    flavor = {
        "data": DATA,
        "model_type": OF_KERAS,
        # MLflow keeps the version of TensorFlow under this name.
        "keras_version": tf.__version__,
        "save_format": form,
    }
    return take(
        model,
        flavors={FLAVOR: flavor, PYFUNC: pyfunc_flavor(LOADER, data=DATA)},
        texts={"keras_module.txt": "tensorflow.keras", "save_format.txt": form},
        save_kwargs=plain,
        suffix=HDF5 if form == "h5" else KERAS,
        custom_objects=custom_objects,
    )


def of_module(model: Any, save_kwargs: Mapping[str, Any] | None) -> ModulePayload:
    """Writes a module as a SavedModel, while the caller waits.

    Raises:
        InvalidArgument: It cannot be saved, or an argument has a wrong value.
    """
    import tensorflow as tf

    if save_kwargs is not None and not isinstance(save_kwargs, Mapping):
        raise InvalidArgument(f"saved_model_kwargs must be a mapping, got {save_kwargs!r}")
    draft = Draft()
    try:
        tf.saved_model.save(model, str(draft.folder / SAVED_MODEL), **(save_kwargs or {}))
    except OSError:
        raise
    except Exception as error:  # It traces functions of the user's.
        raise InvalidArgument(
            f"the model {type(model).__name__} cannot be saved: {type(error).__name__}: {error}"
        ) from error
    return ModulePayload(draft)
