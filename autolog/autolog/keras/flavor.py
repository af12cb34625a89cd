"""Saving and loading models of Keras.

The format is Keras's own, ``.keras``: a config, the weights, and the state of the optimizer where
the model is compiled. Classes and functions of yours that the model is made of are kept beside it
with cloudpickle, so that it loads in a process that does not know them; a process that does never
opens them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autolog._keras.loading import copied_to, load_keras
from autolog._keras.objects import Kept
from autolog._keras.payload import DATA, NAME, KerasPayload, require_keras, take
from autolog._keras.prediction import KerasWrapper
from autolog._keras.preparing import prepare
from autolog._keras.saved_model import PROGRAM, SavedModelWrapper, export, load_saved_model
from autolog.instrument.models import log_model as log_snapshot
from autolog.instrument.models import model_folder
from autolog_core.models.flavors import flavor_conf
from autolog_core.models.locate import inside
from autolog_core.models.manifest import PYFUNC, Model, ModelInfo, read_manifest
from autolog_core.models.pyfunc import pyfunc_flavor
from autolog_core.models.signature import ModelSignature
from autolog_core.models.snapshot import Snapshot, write
from autolog_core.models.trust import require_trust

FLAVOR = "keras"
LOADER = "mlflow.keras"


def snapshot(
    model: Any,
    *,
    save_exported_model: bool = False,
    save_model_kwargs: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    **options: Any,
) -> Snapshot:
    """Returns a model as it is now, to be written later and elsewhere.

    Args:
        model: The model.
        save_exported_model: As for `save_model`.
        save_model_kwargs: As for `save_model`.
        custom_objects: As for `save_model`.
        options: The fields of `autolog_core.models.saving.SaveOptions`.

    Raises:
        InvalidArgument: An argument has a wrong value, or the model cannot be saved.
        NotFound: A file that was named is missing.
    """
    require_keras(model)
    return prepare(
        model,
        lambda: _payload(model, bool(save_exported_model), save_model_kwargs, custom_objects),
        options,
    )


def _payload(
    model: Any,
    exported: bool,
    save_kwargs: Mapping[str, Any] | None,
    custom_objects: Mapping[str, Any] | None,
) -> KerasPayload:
    import keras

    flavors = {
        FLAVOR: {
            "data": DATA,
            "keras_version": keras.__version__,
            "keras_backend": keras.config.backend(),
            "save_exported_model": exported,
        },
        PYFUNC: pyfunc_flavor(LOADER),
    }
    texts = {"keras_module.txt": "keras"}
    if not exported:
        return take(
            model,
            flavors=flavors,
            texts=texts,
            save_kwargs=save_kwargs,
            custom_objects=custom_objects,
        )
    modules = frozenset(("keras", "tensorflow"))
    return KerasPayload(export(model, NAME), Kept({}), texts, flavors, modules, (PROGRAM,))


def save_model(
    model: Any,
    path: str | os.PathLike[str],
    save_exported_model: bool = False,
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    mlflow_model: Model | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    save_model_kwargs: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
) -> None:
    """Saves a model of Keras as a model directory, whole or not at all.

    Args:
        model: The model.
        path: A folder that does not exist or is empty.
        save_exported_model: Whether to save a SavedModel that predicts (``model.export``), instead
            of a ``.keras`` file that can be trained on.
        conda_env: A conda environment, or its file, instead of the requirements that are told.
        mlflow_model: Fields of the manifest that are known beforehand.
        signature: What the model takes and gives; False for none. Absent, it is inferred where
            there is an input example; else it says what the model knows of its output.
        input_example: A few rows of input: an array, or a mapping of arrays by the names of inputs.
        pip_requirements: Requirements, or a file of them, instead of those that are told.
        extra_pip_requirements: Requirements, or a file of them, besides.
        save_model_kwargs: Arguments for Keras's ``model.save``; the caller then waits for it.
        metadata: What is kept with the model: text, numbers, lists and mappings.
        custom_objects: Classes and functions to keep with the model, by the name that Keras has
            for them. Those that are registered with Keras are kept in any case.
        code_paths: Python files and folders that travel with the model.

    Raises:
        AlreadyExists: There is something at `path`.
        InvalidArgument: An argument has a wrong value, or the model cannot be saved.
        NotFound: A file that was named is missing.
    """
    import logging

    taken = snapshot(
        model,
        save_exported_model=save_exported_model,
        save_model_kwargs=save_model_kwargs,
        custom_objects=custom_objects,
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
    save_exported_model: bool = False,
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    registered_model_name: str | None = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    save_model_kwargs: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
) -> ModelInfo:
    """Logs a model of Keras as a logged model of the active run.

    The model is copied before this returns; its file is written in the background, unless code
    travels with it, and training may go on at once.

    Args:
        model: The model.
        artifact_path: The model's name, under its old word.
        save_exported_model: As for `save_model`; the caller waits for the export.
        conda_env: As for `save_model`.
        signature: As for `save_model`.
        input_example: As for `save_model`.
        registered_model_name: None: there is no registry yet.
        pip_requirements: As for `save_model`.
        extra_pip_requirements: As for `save_model`.
        save_model_kwargs: As for `save_model`.
        metadata: As for `save_model`.
        name: Its name; two words and a number if absent.
        params: Params of the model, besides those of the run.
        tags: Its tags.
        model_type: What kind of model it is, in your words.
        step: Step of the run that the model is of; metrics of that step are the model's too.
        model_id: A model that `autolog.initialize_logged_model` began; absent, a new one.
        custom_objects: As for `save_model`.
        code_paths: As for `save_model`.

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
            save_exported_model=save_exported_model,
            save_model_kwargs=save_model_kwargs,
            custom_objects=custom_objects,
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
        wait=bool(code_paths),
    )


def load_model(
    model_uri: str | os.PathLike[str],
    dst_path: str | os.PathLike[str] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    load_model_kwargs: Mapping[str, Any] | None = None,
    *,
    trust: bool | None = None,
) -> Any:
    """Loads the model of a model directory, of autolog or of MLflow.

    Args:
        model_uri: ``models:/<model id>``, ``runs:/<run id>/<name>``, the directory, or its
            ``file:`` address.
        dst_path: A folder to copy the model directory into first.
        custom_objects: Classes and functions that the model is made of, by the name that Keras has
            for them. What is registered with Keras need not be named.
        load_model_kwargs: Arguments for ``keras.saving.load_model``, such as ``compile=False``.
            ``safe_mode=False`` says ``trust=True``.
        trust: Whether the model may run code when it is loaded. Absent, the setting
            ``AUTOLOG_TRUST_MODELS`` says so, or that this user saved it.

    Returns:
        The model of Keras; of an exported model, the SavedModel.

    Raises:
        NotFound: There is no model, or it is none of Keras.
        PermissionDenied: Loading it runs code, and nobody trusts it.
        InvalidArgument: The directory or its file is damaged, or the model is made of classes that
            are not known here.
    """
    folder = copied_to(dst_path, Path(model_folder(model_uri)))
    options = dict(load_model_kwargs or {})
    if custom_objects is not None:
        options["custom_objects"] = custom_objects
    return _load(folder, read_manifest(folder), options, trust)


def load_pyfunc(folder: Path, model: Model, trust: bool | None) -> KerasWrapper | SavedModelWrapper:
    """Loads the model of a model directory, to predict as any model does."""
    found = _load(folder, model, {"compile": False}, trust)
    if model.flavors[FLAVOR].get("save_exported_model"):
        return SavedModelWrapper(found, found.serve)
    return KerasWrapper(found)


def _load(folder: Path, model: Model, options: Mapping[str, Any], trust: bool | None) -> Any:
    conf = flavor_conf(folder, model, FLAVOR, "Keras")
    if not conf.get("save_exported_model"):
        return load_keras(folder, model, conf, options, trust)
    require_trust(folder, model, [PROGRAM], trust)
    return load_saved_model(inside(folder, f"{conf.get('data', DATA)}/{NAME}", "data"))
