"""A Keras model as it was at one moment, ready to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autolog._keras.files import Draft
from autolog._keras.objects import Kept, keep
from autolog._keras.recording import Recording, record, write_archive
from autolog._keras.survey import read_config, survey
from autolog_core.errors import InvalidArgument
from autolog_core.models.snapshot import Parts

DATA, NAME = "data", "model"
KERAS, HDF5 = ".keras", ".h5"
_LONGEST = 500
PICKLED = "its custom objects are a cloudpickle file"
OLD_FORMAT = "it is an HDF5 file, for which Keras has no safe mode"


@dataclass(frozen=True, slots=True)
class KerasPayload:
    """A Keras model as it was at one moment.

    Attributes:
        source: Its config and weights, or files that are written already.
        kept: What it needs of the user's.
        texts: Short files beside it, by name.
        flavors: How to load it, by flavor.
        modules: Names of the modules that it needs.
        runs_code: Why loading it runs code; empty where it does not.
        notes: What the user should know.
    """

    source: Recording | Draft
    kept: Kept
    texts: Mapping[str, str]
    flavors: Mapping[str, Mapping[str, Any]]
    modules: frozenset[str]
    runs_code: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of memory that it holds."""
        return self.source.size if isinstance(self.source, Recording) else 0

    def write(self, folder: Path) -> Parts:
        """Writes the model's files.

        Raises:
            InvalidArgument: A variable is of a kind that the file cannot hold.
        """
        data = folder / DATA
        data.mkdir()
        for name, text in self.texts.items():
            (data / name).write_text(text, encoding="utf-8")
        self.kept.write(data)
        if isinstance(self.source, Draft):
            self.source.move(data)
        else:
            write_archive(self.source, data / f"{NAME}{KERAS}")
        needed = ("keras", "cloudpickle") if self.kept.files else ("keras",)
        return Parts(self.flavors, self.modules, needed, self.runs_code, self.notes)


def is_keras(model: Any) -> bool:
    """Whether something is a model of Keras 3."""
    return any(
        each.__name__ == "Model" and each.__module__.partition(".")[0] == "keras"
        for each in type(model).__mro__
    )


def require_keras(model: Any) -> None:
    """Returns if something is a model of Keras 3.

    Raises:
        InvalidArgument: It is not.
    """
    if not is_keras(model):
        old = any(each.__module__.partition(".")[0] == "tf_keras" for each in type(model).__mro__)
        hint = "; models of Keras 2 (tf_keras) are not supported" if old else ""
        raise InvalidArgument(
            f"model must be a keras.Model, got {type(model).__module__}.{type(model).__name__}"
            f"{hint}"
        )


def take(
    model: Any,
    *,
    flavors: Mapping[str, Mapping[str, Any]],
    texts: Mapping[str, str],
    save_kwargs: Mapping[str, Any] | None = None,
    suffix: str = KERAS,
    custom_objects: Mapping[str, Any] | None = None,
) -> KerasPayload:
    """Copies a model of Keras.

    Args:
        model: The model.
        flavors: How to load it, by flavor.
        texts: Short files beside it, by name.
        save_kwargs: Arguments for Keras's own ``model.save``, which then writes the file before
            this returns.
        suffix: Of the file.
        custom_objects: Classes and functions to keep with the model, by name.

    Raises:
        InvalidArgument: The model cannot be saved, or an argument has a wrong value.
    """
    import keras

    source, config, notes = _copy(model, save_kwargs, suffix)
    found = survey(config)
    kept = keep(found.custom, custom_objects)
    code = (*found.code, *((PICKLED,) if kept.files else ()))
    if suffix == HDF5:
        code = (OLD_FORMAT, *code)
    if not model.built:
        notes = (*notes, "it has no weights yet, because it has not been called on data")
    modules = {each for each in found.custom.values() if each is not None}
    return KerasPayload(
        source,
        kept,
        texts,
        flavors,
        frozenset((*modules, *kept.modules, "keras", keras.config.backend())),
        code,
        (*notes, *kept.notes),
    )


def _copy(
    model: Any, save_kwargs: Mapping[str, Any] | None, suffix: str
) -> tuple[Recording | Draft, str, tuple[str, ...]]:
    """Returns a copy of a model, its config, and what the user should know."""
    if save_kwargs is not None and not isinstance(save_kwargs, Mapping):
        raise InvalidArgument(f"arguments for model.save must be a mapping, got {save_kwargs!r}")
    notes: tuple[str, ...] = ()
    if not save_kwargs and suffix == KERAS:
        try:
            recording = record(model)
            return recording, recording.config, ()
        except (ImportError, AttributeError, TypeError) as error:
            # Saving tells whether it is the model or this version of Keras.
            notes = (f"this version of Keras had to save it while the caller waited: {error}",)
        except Exception as error:  # Code of the model's own classes may raise anything.
            raise _unsaveable(model, error) from error
    draft = Draft()
    file = draft.folder / f"{NAME}{suffix}"
    try:
        model.save(str(file), **(save_kwargs or {}))
        config = read_config(file) if suffix == KERAS else model.to_json()
    except (OSError, InvalidArgument):
        raise
    except Exception as error:
        raise _unsaveable(model, error) from error
    return draft, config, notes


def _unsaveable(model: Any, error: Exception) -> InvalidArgument:
    said = f"{type(error).__name__}: {brief(error)}"
    return InvalidArgument(f"the model {type(model).__name__} cannot be saved: {said}")


def brief(error: Exception) -> str:
    """Returns what an error of Keras says, without the config and the examples that it repeats."""
    said = str(error).rpartition("Exception encountered: ")[2]
    return " ".join(said.split())[:_LONGEST]
