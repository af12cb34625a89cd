"""Saving, logging and loading modules of PyTorch, plain ones and those of Lightning."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autolog._torch import loading
from autolog._torch import snapshot as taking
from autolog._torch.wrapper import to_numpy
from autolog.instrument.models import artifact_folder, log_folder, model_folder, workshop
from autolog.instrument.models import log_model as log_snapshot
from autolog_core.errors import InvalidArgument, NotFound, NotSupported
from autolog_core.models import saving
from autolog_core.models.directory import new_directory
from autolog_core.models.extra import check_paths
from autolog_core.models.manifest import Model, ModelInfo, read_manifest
from autolog_core.models.signature import ModelSignature
from autolog_core.models.snapshot import Snapshot, write

SAFETENSORS, PICKLE, PT2 = "safetensors", "pickle", "pt2"
_FORMATS = (SAFETENSORS, PICKLE, PT2)


def snapshot(
    pytorch_model: Any,
    *,
    pickle_module: Any = None,
    extra_files: Sequence[str | os.PathLike[str]] | None = None,
    serialization_format: str | None = None,
    torch_save_options: Mapping[str, Any] | None = None,
    shared: bool = False,
    input_example: Any = None,
    **options: Any,
) -> Snapshot:
    """Returns a module as it is now, to be written later and elsewhere.

    Args:
        pytorch_model: The module.
        pickle_module: As for `save_model`.
        extra_files: As for `save_model`.
        serialization_format: As for `save_model`.
        torch_save_options: Further arguments of `torch.save`, for the format ``pickle``.
        shared: Whether weights that an earlier model of the session holds are stored once.
        input_example: As for `save_model`.
        options: The other fields of `autolog_core.models.saving.SaveOptions`.

    Raises:
        InvalidArgument: An argument has a wrong value, or the module cannot be saved.
        NotFound: A file that was named is missing.
        StorageError: There is no memory for a copy.
    """
    import torch

    form = serialization_format or (PICKLE if pickle_module is not None else SAFETENSORS)
    if form not in _FORMATS:
        raise InvalidArgument(
            f"serialization_format must be one of {', '.join(_FORMATS)}, got "
            f"{serialization_format!r}"
        )
    if form != PICKLE and (pickle_module is not None or torch_save_options):
        named = ", ".join(("pickle_module", *(torch_save_options or {})))
        raise InvalidArgument(f"{named}: these are for serialization_format='pickle', not {form!r}")
    module, extra = taking.unwrap(pytorch_model), check_paths(extra_files, "extra_files")
    told = saving.SaveOptions(
        input_example=None if input_example is None else to_numpy(input_example), **options
    )
    if isinstance(module, torch.jit.ScriptModule):
        return saving.prepare(taking.script_payload(module, extra), told)
    if form == PT2:
        return saving.prepare(taking.export_payload(module, input_example, extra), told)
    tools = workshop() if shared else None
    payload = taking.take(module, tools, extra)
    try:
        taken = saving.prepare(payload, told, taking.predictor(payload))
        payload.weights.forget_model()
        if form == PICKLE:
            own = taking.pickle_payload(module, pickle_module, torch_save_options or {}, extra)
            payload.weights.release()
            return saving.with_payload(taken, own)
    except BaseException:
        payload.weights.release()
        raise
    return taken


def save_model(
    pytorch_model: Any,
    path: str | os.PathLike[str],
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    mlflow_model: Model | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    pickle_module: Any = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    extra_files: Sequence[str | os.PathLike[str]] | None = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: Mapping[str, Any] | None = None,
    export_model: bool = False,
    serialization_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Saves a module as a model directory, whole or not at all.

    Args:
        pytorch_model: The module. Compiled and parallel ones are saved as what they wrap; a
            TorchScript module as its own file.
        path: A folder that does not exist or is empty.
        conda_env: A conda environment, or its file, instead of the requirements that are told.
        mlflow_model: Fields of the manifest that are known beforehand.
        code_paths: Python files and folders that travel with the model.
        pickle_module: The pickle module of ``serialization_format="pickle"``.
        signature: What the model takes and gives; False for none. Absent, it is inferred where
            there is an input example.
        input_example: A batch of input, as an array or a tensor, a mapping of names of arguments to
            these, or a table.
        extra_files: Files that travel with the model.
        pip_requirements: Requirements, or a file of them, instead of those that are told.
        extra_pip_requirements: Requirements, or a file of them, besides.
        metadata: What is kept with the model: text, numbers, lists and mappings.
        export_model: The same as ``serialization_format="pt2"``.
        serialization_format: ``safetensors`` (the default: weights apart from the architecture),
            ``pickle`` (one file of `torch.save`, which MLflow loads without autolog), or ``pt2``
            (traced by `torch.export` from the input example).
        kwargs: Further arguments of `torch.save`, for ``pickle``.

    Raises:
        AlreadyExists: There is something at `path`.
        InvalidArgument: An argument has a wrong value, or the module cannot be saved.
        NotFound: A file that was named is missing.
    """
    taken = snapshot(
        pytorch_model,
        pickle_module=pickle_module,
        extra_files=extra_files,
        serialization_format=_format(export_model, serialization_format),
        torch_save_options=kwargs,
        input_example=input_example,
        signature=signature,
        conda_env=conda_env,
        code_paths=code_paths,
        mlflow_model=mlflow_model,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        metadata=metadata,
    )
    write(taken, path)


def _format(export_model: bool, serialization_format: str | None) -> str | None:
    if not export_model:
        return serialization_format
    if serialization_format not in (None, PT2):
        raise InvalidArgument(
            f"export_model=True means serialization_format='pt2', not {serialization_format!r}"
        )
    return PT2


def log_model(
    pytorch_model: Any,
    artifact_path: str | None = None,
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    pickle_module: Any = None,
    registered_model_name: str | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    extra_files: Sequence[str | os.PathLike[str]] | None = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: Mapping[str, Any] | None = None,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
    export_model: bool = False,
    serialization_format: str | None = None,
    **kwargs: Any,
) -> ModelInfo:
    """Logs a module as a logged model of the active run.

    The weights are copied before this returns; files are written in the background, unless code
    or files of yours travel with them. Weights that an earlier model of this process holds
    unchanged are not stored again.

    Args:
        pytorch_model: As for `save_model`, like all that are not named below.
        artifact_path: The model's name, under its old word.
        conda_env: As for `save_model`.
        code_paths: As for `save_model`.
        pickle_module: As for `save_model`.
        registered_model_name: None: there is no registry yet.
        signature: As for `save_model`.
        input_example: As for `save_model`.
        extra_files: As for `save_model`.
        pip_requirements: As for `save_model`.
        extra_pip_requirements: As for `save_model`.
        metadata: As for `save_model`.
        name: The model's name; two words and a number if absent.
        params: Params of the model, besides those of the run.
        tags: Its tags.
        model_type: What kind of model it is, in your words.
        step: Step of the run that the model is of; metrics of that step are the model's too.
        model_id: A model that `autolog.initialize_logged_model` began; absent, a new one.
        export_model: As for `save_model`.
        serialization_format: As for `save_model`.
        kwargs: As for `save_model`.

    Returns:
        What is known of it; `model_id` and `model_uri` among it, and `wait()` for its files.

    Raises:
        InvalidArgument: An argument has a wrong value, or the module cannot be saved.
        NotFound: A file that was named is missing, or there is no model `model_id`.
        InvalidState: The model `model_id` has its files already.
        NotSupported: `registered_model_name` is given.
    """
    return log_snapshot(
        lambda manifest: snapshot(
            pytorch_model,
            pickle_module=pickle_module,
            extra_files=extra_files,
            serialization_format=_format(export_model, serialization_format),
            torch_save_options=kwargs,
            shared=True,
            input_example=input_example,
            signature=signature,
            conda_env=conda_env,
            code_paths=code_paths,
            mlflow_model=manifest,
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
    *,
    map_location: Any = None,
    trust: bool | None = None,
) -> Any:
    """Loads the module of a model directory, of autolog or of MLflow, in evaluation mode.

    Args:
        model_uri: ``models:/<model id>``, ``runs:/<run id>/<name>``, the directory, or its
            ``file:`` address.
        map_location: The device to load it to; the CPU if absent.
        trust: Whether the model may run code when it is loaded. Absent, the setting
            ``AUTOLOG_TRUST_MODELS`` says so, or that this user saved it.

    Raises:
        NotFound: There is no model, or a file of it is missing.
        NotSupported: It is none of PyTorch.
        PermissionDenied: Loading it runs code, and nobody trusts it; `load_state_dict` asks for no
            trust.
        InvalidArgument: The directory or a file is damaged.
    """
    folder = Path(model_folder(model_uri))
    return loading.load(folder, read_manifest(folder), trust, map_location)


def save_state_dict(
    state_dict: Mapping[str, Any], path: str | os.PathLike[str], **kwargs: Any
) -> None:
    """Saves a state dict, of a module or an optimizer, as the folder `path`.

    Args:
        state_dict: The state dict, or a mapping of several.
        path: A folder that does not exist or is empty.
        kwargs: Further arguments of `torch.save`.

    Raises:
        AlreadyExists: There is something at `path`.
        InvalidArgument: `state_dict` is no mapping.
    """
    import torch

    if not isinstance(state_dict, Mapping):
        raise InvalidArgument(
            f"state_dict must be a mapping, got {type(state_dict).__name__}; "
            "log_model() keeps a whole module"
        )
    with new_directory(path) as folder:
        torch.save(state_dict, folder / loading.STATE, **kwargs)


def log_state_dict(state_dict: Mapping[str, Any], artifact_path: str, **kwargs: Any) -> None:
    """Keeps a state dict as files of the active run, below `artifact_path`.

    Args:
        state_dict: The state dict of a module or an optimizer, or a mapping of several.
        artifact_path: Where in the run's files.
        kwargs: Further arguments of `torch.save`.

    Raises:
        InvalidArgument: `state_dict` is no mapping.
    """
    with tempfile.TemporaryDirectory() as place:
        save_state_dict(state_dict, os.path.join(place, "state"), **kwargs)
        log_folder(os.path.join(place, "state"), artifact_path)


def load_state_dict(
    state_dict_uri: str | os.PathLike[str], *, trust: bool | None = None
) -> dict[str, Any]:
    """Loads a state dict, onto the CPU: of a logged model, or as `log_state_dict` kept it.

    Weights are read without running code of whoever wrote them, so this asks for no trust.

    Args:
        state_dict_uri: ``models:/<model id>``, ``runs:/<run id>/<artifact path>``, or a folder.
        trust: Whether code may run where the file holds more than tensors and plain values.

    Raises:
        NotFound: There is none.
        PermissionDenied: It holds more than tensors and plain values, and nobody trusts it.
        InvalidArgument: It is damaged.
        NotSupported: The address is one of the registry.
    """
    text = os.fspath(state_dict_uri)
    if text.startswith("runs:/"):
        try:
            return loading.load_state(Path(model_folder(text)), trust)
        except (NotFound, NotSupported):
            return loading.load_state(Path(artifact_folder(text)), trust)
    return loading.load_state(Path(model_folder(text)), trust)
