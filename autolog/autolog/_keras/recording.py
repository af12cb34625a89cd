"""A Keras model as it is at one moment: its config, and a copy of its state.

The parts of a ``.keras`` file and their paths are told by Keras itself: its own walk over the model
is run with a store that copies each variable once and writes nothing. The file is written from
that later, wherever there is time: no layer is built again for it, so nothing of the process
(names, seeds, graphs, the session) is touched, and the model may go on training.
"""

from __future__ import annotations

import functools
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autolog_core.errors import InvalidArgument

_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Part:
    """The variables of one layer, optimizer or metric.

    Attributes:
        path: Where the file keeps them.
        metadata: What the file says about them; None in versions of Keras that say nothing.
        values: A copy of each, by name.
    """

    path: str
    metadata: Mapping[str, Any] | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """All that a ``.keras`` file holds.

    Attributes:
        config: JSON of the architecture, and of what the model was compiled with.
        metadata: JSON of the version of Keras and the time.
        parts: The variables of all layers, of the optimizer and of the metrics.
        assets: Other files, such as vocabularies, by their path.
    """

    config: str
    metadata: str
    parts: tuple[Part, ...]
    assets: Mapping[str, bytes]

    @property
    def size(self) -> int:
        """Bytes of all variables."""
        return sum(each.nbytes for part in self.parts for each in part.values.values())


def record(model: Any) -> Recording:
    """Copies a model.

    Raises:
        ImportError: This version of Keras has not the inner parts that are used here.
        AttributeError: The same.
        TypeError: The same; or a class of the model cannot tell its config, as Keras says it.
    """
    from keras.src.saving import saving_lib

    config, metadata = saving_lib._serialize_model_as_json(model)
    weights = _store_class()(_fresh_paths(model))
    assets = saving_lib.DiskIOStore("assets", mode="w")
    try:
        saving_lib._save_state(
            model,
            weights_store=weights,
            assets_store=assets,
            inner_path="",
            visited_saveables=set(),
        )
        files = _read_all(Path(assets.working_dir))
    finally:
        assets.close()
    return Recording(config, metadata, tuple(weights.parts), files)


def _fresh_paths(model: Any) -> frozenset[str]:
    """Returns the paths at which Keras hands out arrays that it has just made."""
    import keras

    plain = keras.optimizers.Optimizer.save_own_variables
    optimizer, path, found = getattr(model, "optimizer", None), "optimizer", set()
    while optimizer is not None:
        if type(optimizer).save_own_variables is plain:
            found.add(path)
        optimizer, path = getattr(optimizer, "inner_optimizer", None), f"{path}/inner_optimizer"
    return frozenset(found)


class _Values(dict[str, Any]):
    """What a layer writes its variables to."""

    def __init__(self, fresh: bool) -> None:
        super().__init__()
        self._fresh = fresh

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, _copied(value, self._fresh))


def _copied(value: Any, fresh: bool) -> Any:
    import keras

    if isinstance(value, keras.Variable):
        # The variable itself would be copied twice: once for its value, once for the array.
        value = value.value
    read = getattr(value, "read_value", None)
    if read is not None:
        value = read()
    if isinstance(value, np.ndarray):
        return value if fresh and value.flags.owndata else value.copy()
    array = keras.ops.convert_to_numpy(value)
    return array if array.flags.owndata else array.copy()


@functools.cache
def _store_class() -> Any:
    from keras.src.saving import saving_lib

    class Store(saving_lib.H5IOStore):  # type: ignore[misc]
        """Keeps in memory what Keras would write. Keras insists on a store of its own."""

        def __init__(self, fresh: frozenset[str]) -> None:
            self.parts: list[Part] = []
            self._fresh = fresh

        def __bool__(self) -> bool:
            return True

        def make(self, path: str, metadata: Mapping[str, Any] | None = None) -> _Values:
            values = _Values(path in self._fresh)
            self.parts.append(Part(path, metadata, values))
            return values

    return Store


def _read_all(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def write_archive(recording: Recording, file: Path) -> None:
    """Writes a ``.keras`` file, as Keras would have at the moment of the recording.

    Raises:
        InvalidArgument: A variable is of a kind that the file cannot hold.
        OSError: The disk refuses.
    """
    weights = file.with_name("model.weights.h5")
    _write_weights(recording, weights)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("metadata.json", recording.metadata)
        archive.writestr("config.json", recording.config)
        with (
            open(weights, "rb") as source,
            archive.open(weights.name, "w", force_zip64=True) as target,
        ):
            shutil.copyfileobj(source, target, _CHUNK)
        for name, content in recording.assets.items():
            archive.writestr(f"assets/{name}", content)
    os.unlink(weights)


def _write_weights(recording: Recording, file: Path) -> None:
    from keras.src.saving import saving_lib

    # Keras lays the file out itself, as its version does.
    store = saving_lib.H5IOStore(str(file), mode="w")
    try:
        for part in recording.parts:
            told = {} if part.metadata is None else {"metadata": part.metadata}
            entry = store.make(part.path, **told)
            for name, value in part.values.items():
                entry[name] = value
    except TypeError as error:
        raise InvalidArgument(f"the model's weights cannot be saved: {error}") from error
    finally:
        store.close()
