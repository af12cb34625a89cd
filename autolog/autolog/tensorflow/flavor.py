"""Saving and loading models of TensorFlow: those of Keras, and modules.

A model of Keras is kept in Keras's own format, ``.keras``, and classes and functions of yours that
it is made of beside it, with cloudpickle. A `tf.Module` is kept as a SavedModel.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autolog._keras.loading import copied_to, load_keras
from autolog._keras.payload import is_keras
from autolog._keras.prediction import KerasWrapper
from autolog._keras.preparing import prepare, prepare_first
from autolog._keras.saved_model import PROGRAM, SavedModelWrapper, load_saved_model
from autolog.instrument.models import log_model as log_snapshot
from autolog.instrument.models import model_folder
from autolog.tensorflow.payload import (
    FLAVOR,
    MODULE,
    OF_KERAS,
    WithFiles,
    of_keras,
    of_module,
)
from autolog_core.errors import InvalidArgument, NotSupported
from autolog_core.models import saving
from autolog_core.models.extra import check_paths
from autolog_core.models.flavors import flavor_conf
from autolog_core.models.locate import inside
from autolog_core.models.manifest import Model, ModelInfo, read_manifest
from autolog_core.models.signature import ModelSignature
from autolog_core.models.snapshot import Payload, Snapshot, write
from autolog_core.models.trust import require_trust


def snapshot(
    model: Any,
    *,
    custom_objects: Mapping[str, Any] | None = None,
    saved_model_kwargs: Mapping[str, Any] | None = None,
    keras_model_kwargs: Mapping[str, Any] | None = None,
    extra_files: Sequence[str | os.PathLike[str]] | None = None,
    **options: Any,
) -> Snapshot:
    """Returns a model as it is now, to be written later and elsewhere.

    Args:
        model: The model.
        custom_objects: As for `save_model`.
        saved_model_kwargs: As for `save_model`.
        keras_model_kwargs: As for `save_model`.
        extra_files: As for `save_model`.
        options: The fields of `autolog_core.models.saving.SaveOptions`.

    Raises:
        InvalidArgument: An argument has a wrong value, or the model cannot be saved.
        NotFound: A file that was named is missing.
    """
    files = check_paths(extra_files, "extra_files")

    def make() -> Payload:
        found: Payload = (
            of_keras(model, keras_model_kwargs, custom_objects)
            if is_keras(model)
            else of_module(model, saved_model_kwargs)
        )
        return WithFiles(found, files) if files else found

    if is_keras(model):
        return prepare(model, make, options)
    if not _is_module(model):
        raise InvalidArgument(
            "model must be a keras.Model or a tf.Module, got "
            f"{type(model).__module__}.{type(model).__name__}"
        )
    if custom_objects is not None:
        raise InvalidArgument("custom_objects are of models of Keras; a tf.Module has none")
    predict = SavedModelWrapper(model).predict if callable(model) else None
    return prepare_first(make, saving.SaveOptions(**options), predict)


def _is_module(model: Any) -> bool:
    import tensorflow as tf

    old = any(each.__module__.partition(".")[0] == "tf_keras" for each in type(model).__mro__)
    # What `tf.saved_model.load` gives is no tf.Module, but saved like one.
    tracked = any(each.__name__ == "AutoTrackable" for each in type(model).__mro__)
    return (isinstance(model, tf.Module) or tracked) and not old


def save_model(
    model: Any,
    path: str | os.PathLike[str],
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    mlflow_model: Model | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    saved_model_kwargs: Mapping[str, Any] | None = None,
    keras_model_kwargs: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    extra_files: Sequence[str | os.PathLike[str]] | None = None,
) -> None:
    """Saves a model as a model directory, whole or not at all.

    Args:
        model: A model of Keras 3, or a `tf.Module`.
        path: A folder that does not exist or is empty.
        conda_env: A conda environment, or its file, instead of the requirements that are told.
        code_paths: Python files and folders that travel with the model.
        mlflow_model: Fields of the manifest that are known beforehand.
        custom_objects: Classes and functions to keep with a model of Keras, by the name that Keras
            has for them. Those that are registered with Keras are kept in any case.
        signature: What the model takes and gives; False for none. Absent, it is inferred where
            there is an input example; else it says what a model of Keras knows of its output.
        input_example: A few rows of input: an array, or a mapping of arrays by the names of inputs.
        pip_requirements: Requirements, or a file of them, instead of those that are told.
        extra_pip_requirements: Requirements, or a file of them, besides.
        saved_model_kwargs: Arguments for ``tf.saved_model.save``, for a module.
        keras_model_kwargs: Arguments for ``model.save`` of Keras; ``save_format="h5"`` writes
            HDF5. The caller then waits for it.
        metadata: What is kept with the model: text, numbers, lists and mappings.
        extra_files: Files that travel with the model.

    Raises:
        AlreadyExists: There is something at `path`.
        InvalidArgument: An argument has a wrong value, or the model cannot be saved.
        NotFound: A file that was named is missing.
    """
    import logging

    taken = snapshot(
        model,
        custom_objects=custom_objects,
        saved_model_kwargs=saved_model_kwargs,
        keras_model_kwargs=keras_model_kwargs,
        extra_files=extra_files,
        conda_env=conda_env,
        code_paths=code_paths,
        mlflow_model=mlflow_model,
        signature=signature,
        input_example=input_example,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        metadata=metadata,
    )
    for note in write(taken, path).notes:
        logging.getLogger("autolog").warning("%s: %s", path, note)


def log_model(
    model: Any,
    artifact_path: str | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    registered_model_name: str | None = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    saved_model_kwargs: Mapping[str, Any] | None = None,
    keras_model_kwargs: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    extra_files: Sequence[str | os.PathLike[str]] | None = None,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
) -> ModelInfo:
    """Logs a model as a logged model of the active run.

    A model of Keras is copied before this returns, and its file is written in the background,
    unless code or files travel with it. A `tf.Module` is saved before this returns.

    Args:
        model: A model of Keras 3, or a `tf.Module`.
        artifact_path: The model's name, under its old word.
        custom_objects: As for `save_model`.
        conda_env: As for `save_model`.
        code_paths: As for `save_model`.
        signature: As for `save_model`.
        input_example: As for `save_model`.
        registered_model_name: None: there is no registry yet.
        pip_requirements: As for `save_model`.
        extra_pip_requirements: As for `save_model`.
        saved_model_kwargs: As for `save_model`.
        keras_model_kwargs: As for `save_model`.
        metadata: As for `save_model`.
        extra_files: As for `save_model`.
        name: Its name; two words and a number if absent.
        params: Params of the model, besides those of the run.
        tags: Its tags.
        model_type: What kind of model it is, in your words.
        step: Step of the run that the model is of; metrics of that step are the model's too.
        model_id: A model that `autolog.initialize_logged_model` began; absent, a new one.

    Returns:
        What is known of it; `model_id` and `model_uri` among it, and `wait()` for its files.

    Raises:
        InvalidArgument: An argument has a wrong value, or the model cannot be saved.
        NotFound: A file that was named is missing, or there is no model `model_id`.
        InvalidState: The model `model_id` has its files already.
        NotSupported: `registered_model_name` is given.
    """
    return log_snapshot(
        lambda manifest: snapshot(
            model,
            custom_objects=custom_objects,
            saved_model_kwargs=saved_model_kwargs,
            keras_model_kwargs=keras_model_kwargs,
            extra_files=extra_files,
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
        wait=bool(code_paths or extra_files),
    )


def load_model(
    model_uri: str | os.PathLike[str],
    dst_path: str | os.PathLike[str] | None = None,
    saved_model_kwargs: Mapping[str, Any] | None = None,
    keras_model_kwargs: Mapping[str, Any] | None = None,
    *,
    trust: bool | None = None,
) -> Any:
    """Loads the model of a model directory, of autolog or of MLflow.

    Args:
        model_uri: ``models:/<model id>``, ``runs:/<run id>/<name>``, the directory, or its
            ``file:`` address.
        dst_path: A folder to copy the model directory into first.
        saved_model_kwargs: Arguments for ``tf.saved_model.load``, for a module.
        keras_model_kwargs: Arguments for ``keras.saving.load_model``, such as ``compile=False`` or
            ``custom_objects``. ``safe_mode=False`` says ``trust=True``.
        trust: Whether the model may run code when it is loaded. Absent, the setting
            ``AUTOLOG_TRUST_MODELS`` says so, or that this user saved it.

    Returns:
        The model of Keras, or the SavedModel.

    Raises:
        NotFound: There is no model, or it is none of TensorFlow.
        NotSupported: It is of a kind that is not supported.
        PermissionDenied: Loading it runs code, and nobody trusts it.
        InvalidArgument: The directory or its file is damaged, or the model is made of classes that
            are not known here.
    """
    folder = copied_to(dst_path, Path(model_folder(model_uri)))
    model = read_manifest(folder)
    return _load(folder, model, saved_model_kwargs, keras_model_kwargs, trust)


def load_pyfunc(folder: Path, model: Model, trust: bool | None) -> KerasWrapper | SavedModelWrapper:
    """Loads the model of a model directory, to predict as any model does."""
    found = _load(folder, model, None, {"compile": False}, trust)
    return KerasWrapper(found) if is_keras(found) else SavedModelWrapper(found)


def _load(
    folder: Path,
    model: Model,
    saved_model_kwargs: Mapping[str, Any] | None,
    keras_model_kwargs: Mapping[str, Any] | None,
    trust: bool | None,
) -> Any:
    conf = flavor_conf(folder, model, FLAVOR, "TensorFlow")
    kind = conf.get("model_type")
    if kind == OF_KERAS:
        return load_keras(folder, model, conf, keras_model_kwargs, trust)
    if kind != MODULE:
        raise NotSupported(
            f"{folder} holds a model of the kind {kind!r}, which is not supported; "
            f"{OF_KERAS!r} and {MODULE!r} are"
        )
    place = inside(folder, conf.get("saved_model_dir"), "saved_model_dir")
    require_trust(folder, model, [PROGRAM], trust)
    return load_saved_model(place, saved_model_kwargs)
