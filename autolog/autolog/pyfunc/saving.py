"""Saving models written in Python, and models that a module of the user's loads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autolog.instrument.models import log_model as log_snapshot
from autolog.pyfunc.loading import LOADERS, read_config
from autolog.pyfunc.python_model import FILE, LOADER, FunctionModel, PythonModel, predictor
from autolog_core.errors import InvalidArgument, NotFound
from autolog_core.models import pickles, saving
from autolog_core.models.locate import local_model
from autolog_core.models.manifest import PYFUNC, Model, ModelInfo
from autolog_core.models.pyfunc import pyfunc_flavor
from autolog_core.models.signature import ModelSignature
from autolog_core.models.snapshot import Parts, Snapshot, write


@dataclass(frozen=True, slots=True)
class PythonPayload:
    """A Python model as it was at one moment. Its artifacts are copied when it is written.

    Attributes:
        pickled: The model.
        artifacts: Files and folders that travel with it, by name.
        config: Values that it is loaded with.
        streams: Whether it predicts piece by piece.
    """

    pickled: pickles.Pickled
    artifacts: Mapping[str, Path]
    config: Mapping[str, Any] | None
    streams: bool

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return len(self.pickled.data)

    def write(self, folder: Path) -> Parts:
        """Writes the model and its artifacts."""
        (folder / FILE).write_bytes(self.pickled.data)
        kept = {}
        for name, source in self.artifacts.items():
            place = _copy(source, folder, "artifacts")
            kept[name] = {"path": place, "uri": place}
        flavor = pyfunc_flavor(
            LOADER,
            python_model=FILE,
            cloudpickle_version=pickles.cloudpickle_version(),
            artifacts=kept or None,
            config=self.config,
            streamable=self.streams,
        )
        return Parts(
            {PYFUNC: flavor},
            self.pickled.modules,
            ("cloudpickle",),
            (f"it is a {pickles.CLOUDPICKLE} file",),
        )


@dataclass(frozen=True, slots=True)
class LoaderPayload:
    """Data that a module of the user's loads. It is copied when it is written.

    Attributes:
        loader_module: The module's name.
        data: File or folder of data.
        config: Values that it is loaded with.
    """

    loader_module: str
    data: Path | None
    config: Mapping[str, Any] | None

    def write(self, folder: Path) -> Parts:
        """Copies the data."""
        place = None if self.data is None else _copy(self.data, folder, "data")
        flavor = pyfunc_flavor(self.loader_module, data=place, config=self.config)
        reason = f"its loader {self.loader_module!r} may be any code"
        return Parts({PYFUNC: flavor}, frozenset((self.loader_module,)), (), (reason,))


def _copy(source: Path, folder: Path, below: str) -> str:
    """Copies a file or folder into ``folder/below``; returns where it is, within `folder`."""
    target, number = folder / below / source.name, 0
    while target.exists():
        number += 1
        target = folder / below / str(number) / source.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
    return target.relative_to(folder).as_posix()


def snapshot(
    *,
    python_model: Any = None,
    artifacts: Mapping[str, str | os.PathLike[str]] | None = None,
    loader_module: str | None = None,
    data_path: str | os.PathLike[str] | None = None,
    model_config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    streamable: bool | None = None,
    **options: Any,
) -> Snapshot:
    """Returns a Python model as it is now, to be written later and elsewhere.

    Args:
        python_model: As for `save_model`.
        artifacts: As for `save_model`.
        loader_module: As for `save_model`.
        data_path: As for `save_model`.
        model_config: As for `save_model`.
        streamable: As for `save_model`.
        options: The fields of `autolog_core.models.saving.SaveOptions`.

    Raises:
        InvalidArgument: An argument has a wrong value, or the model cannot be pickled.
        NotFound: A file that was named is missing.
    """
    config = read_config(None, model_config)
    own = saving.SaveOptions(**options)
    if loader_module is not None:
        if python_model is not None or artifacts or streamable:
            raise InvalidArgument(
                "give either loader_module and data_path, or python_model and artifacts"
            )
        if not isinstance(loader_module, str) or loader_module in LOADERS:
            raise InvalidArgument(f"loader_module must name your own module, got {loader_module!r}")
        data = None if data_path is None else _existing(data_path, "data_path")
        return saving.prepare(LoaderPayload(loader_module, data, config), own)
    if data_path is not None:
        raise InvalidArgument("data_path needs loader_module; a python_model has artifacts")
    if isinstance(python_model, PythonModel):
        streams = type(python_model).predict_stream is not PythonModel.predict_stream
    elif callable(python_model):
        python_model, streams = FunctionModel(python_model), False
    elif hasattr(python_model, "predict") and hasattr(python_model, "load_context"):
        streams = hasattr(python_model, "predict_stream")
    else:
        raise InvalidArgument(
            f"python_model must be a PythonModel or a function, got {python_model!r}"
        )
    found = {
        name: _existing(each, f"artifact {name!r}") for name, each in (artifacts or {}).items()
    }
    payload = PythonPayload(
        pickles.dump(python_model, f"the model {type(python_model).__name__}"),
        found,
        config,
        streams if streamable is None else streamable,
    )
    # A model that has still to load its files cannot predict from the example.
    loads = type(python_model).load_context is not PythonModel.load_context
    return saving.prepare(payload, own, None if loads or found else predictor(python_model))


def _existing(path: str | os.PathLike[str], what: str) -> Path:
    found = Path(os.path.abspath(local_model(path)))
    if not found.exists():
        raise NotFound(f"{what} names {path}, which does not exist")
    return found


def save_model(
    path: str | os.PathLike[str],
    loader_module: str | None = None,
    data_path: str | os.PathLike[str] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    mlflow_model: Model | None = None,
    python_model: Any = None,
    artifacts: Mapping[str, str | os.PathLike[str]] | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: Mapping[str, Any] | None = None,
    model_config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    streamable: bool | None = None,
) -> None:
    """Saves a Python model as a model directory, whole or not at all.

    Args:
        path: A folder that does not exist or is empty.
        loader_module: A module of your own with a function ``_load_pyfunc(data_path)``, which
            returns an object that has ``predict(data)``.
        data_path: File or folder that it loads from; the model directory where there is none.
        code_paths: Python files and folders that travel with the model.
        conda_env: A conda environment, or its file, instead of the requirements that are told.
        mlflow_model: Fields of the manifest that are known beforehand.
        python_model: A `PythonModel`, or a function of the data.
        artifacts: Files and folders that travel with it, by name.
        signature: What the model takes and gives; False for none. Absent, it is inferred where
            there is an input example.
        input_example: A few rows of input, or a tuple of these and a mapping of params.
        pip_requirements: Requirements, or a file of them, instead of those that are told.
        extra_pip_requirements: Requirements, or a file of them, besides.
        metadata: What is kept with the model: text, numbers, lists and mappings.
        model_config: Values that the model is loaded with, or a YAML file of such.
        streamable: Whether it predicts piece by piece; absent, whether it has `predict_stream`.

    Raises:
        AlreadyExists: There is something at `path`.
        InvalidArgument: An argument has a wrong value, or the model cannot be pickled.
        NotFound: A file that was named is missing.
    """
    taken = snapshot(
        python_model=python_model,
        artifacts=artifacts,
        loader_module=loader_module,
        data_path=data_path,
        model_config=model_config,
        streamable=streamable,
        conda_env=conda_env,
        code_paths=code_paths,
        mlflow_model=mlflow_model,
        signature=signature,
        input_example=input_example,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        metadata=metadata,
    )
    write(taken, path)


def log_model(
    artifact_path: str | None = None,
    loader_module: str | None = None,
    data_path: str | os.PathLike[str] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    python_model: Any = None,
    artifacts: Mapping[str, str | os.PathLike[str]] | None = None,
    registered_model_name: str | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: Mapping[str, Any] | None = None,
    model_config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    streamable: bool | None = None,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
) -> ModelInfo:
    """Logs a Python model as a logged model of the active run.

    The model is pickled before this returns; its files are written in the background, unless
    files of yours travel with it.

    Args:
        artifact_path: The model's name, under its old word.
        loader_module: As for `save_model`, like all that are not named below.
        data_path: As for `save_model`.
        code_paths: As for `save_model`.
        conda_env: As for `save_model`.
        python_model: As for `save_model`.
        artifacts: As for `save_model`.
        registered_model_name: None: there is no registry yet.
        signature: As for `save_model`.
        input_example: As for `save_model`.
        pip_requirements: As for `save_model`.
        extra_pip_requirements: As for `save_model`.
        metadata: As for `save_model`.
        model_config: As for `save_model`.
        streamable: As for `save_model`.
        name: The model's name; two words and a number if absent.
        params: Params of the model, besides those of the run.
        tags: Its tags.
        model_type: What kind of model it is, in your words.
        step: Step of the run that the model is of; metrics of that step are the model's too.
        model_id: A model that `autolog.initialize_logged_model` began; absent, a new one.

    Returns:
        What is known of it; `model_id` and `model_uri` among it.

    Raises:
        InvalidArgument: An argument has a wrong value, or the model cannot be pickled.
        NotFound: A file that was named is missing.
        InvalidState: The model `model_id` has its files already.
        NotSupported: `registered_model_name` is given.
    """
    return log_snapshot(
        lambda manifest: snapshot(
            python_model=python_model,
            artifacts=artifacts,
            loader_module=loader_module,
            data_path=data_path,
            model_config=model_config,
            streamable=streamable,
            conda_env=conda_env,
            code_paths=code_paths,
            mlflow_model=manifest,
            signature=signature,
            input_example=input_example,
            pip_requirements=pip_requirements,
            extra_pip_requirements=extra_pip_requirements,
            metadata=metadata,
        ),
        name=name,
        artifact_path=artifact_path,
        step=step,
        params=params,
        tags=tags,
        model_type=model_type,
        registered_model_name=registered_model_name,
        model_id=model_id,
        wait=bool(artifacts or data_path or code_paths),
    )
