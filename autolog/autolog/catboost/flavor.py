"""Saving and loading models of CatBoost.

A model is kept in CatBoost's own format cbm (or as JSON, when asked for), which can run no code: it
loads without trust. Only Python files that travel with the model ask for it.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autolog.instrument.models import log_model as log_snapshot
from autolog.instrument.models import model_folder
from autolog_core.errors import InvalidArgument, MissingExtra, NotSupported
from autolog_core.models import saving
from autolog_core.models.flavors import (
    DIGESTS,
    Content,
    damaged,
    flavor_conf,
    read_file,
    trusted,
    write_files,
)
from autolog_core.models.manifest import PYFUNC, Model, ModelInfo, read_manifest
from autolog_core.models.pyfunc import pyfunc_flavor
from autolog_core.models.rows import as_rows
from autolog_core.models.signature import ModelSignature
from autolog_core.models.snapshot import Parts, Snapshot, write

_logger = logging.getLogger("autolog")
FLAVOR = "catboost"
CBM, JSON = "cbm", "json"
_FORMATS = (CBM, JSON)
# MLflow's name of the file, whatever its format.
_FILE = "model.cb"
_CLASSES = ("CatBoost", "CatBoostClassifier", "CatBoostRanker", "CatBoostRegressor")
_HEAD = b"CBM1"


def library() -> Any:
    """Returns the module of CatBoost.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        import catboost
    except ModuleNotFoundError as error:
        raise MissingExtra("catboost is needed for this model: pip install catboost") from error
    return catboost


@dataclass(frozen=True, slots=True)
class CatboostPayload:
    """A model as it was at one moment.

    Attributes:
        data: Its bytes.
        model_type: Name of the class to load it as.
        save_format: The name of the bytes' format.
        notes: What the user should know about how it is saved.
    """

    data: bytes
    model_type: str
    save_format: str
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return len(self.data)

    def write(self, folder: Path) -> Parts:
        """Writes the model's file."""
        flavor = {
            "data": _FILE,
            "model_type": self.model_type,
            "save_format": self.save_format,
            "catboost_version": library().__version__,
            DIGESTS: write_files(folder, {_FILE: self.data}),
        }
        return Parts(
            {FLAVOR: flavor, PYFUNC: pyfunc_flavor("mlflow.catboost", data=_FILE)},
            frozenset((FLAVOR,)),
            notes=self.notes,
        )


def snapshot(cb_model: Any, *, format: str = CBM, **options: Any) -> Snapshot:
    """Returns a model as it is now, to be written later and elsewhere.

    Args:
        cb_model: A model of CatBoost that is fitted.
        format: As for `save_model`.
        options: The fields of `autolog_core.models.saving.SaveOptions`.

    Raises:
        InvalidArgument: An argument has a wrong value, or the model is not fitted.
        NotFound: A file that was named is missing.
    """
    if format not in _FORMATS:
        raise InvalidArgument(
            f"format must be one of {', '.join(_FORMATS)}, got {format!r}; for others call the "
            "model's own save_model() and log the file with autolog.log_artifact()"
        )
    if not isinstance(cb_model, library().CatBoost):
        raise InvalidArgument(f"cb_model must be a model of CatBoost, got {cb_model!r}")
    if not cb_model.is_fitted():
        raise InvalidArgument(
            f"cb_model {type(cb_model).__name__} is not fitted: call its fit() first"
        )
    kind = own_class(cb_model)
    notes: tuple[str, ...] = ()
    if kind is not type(cb_model):
        own = type(cb_model).__qualname__
        notes = (f"{own} is none of CatBoost's classes: it will be loaded as {kind.__name__}",)
    payload = CatboostPayload(_bytes_of(cb_model, format), kind.__name__, format, notes)
    return saving.prepare(payload, saving.SaveOptions(**options), CatboostWrapper(cb_model).predict)


def own_class(cb_model: Any) -> Any:
    """Returns the class of CatBoost that a model is of, or that its class derives from."""
    return next(each for each in type(cb_model).__mro__ if _is_own(each))


def _is_own(kind: type) -> bool:
    return kind.__name__ in _CLASSES and kind.__module__.partition(".")[0] == FLAVOR


def _bytes_of(cb_model: Any, form: str) -> bytes:
    if form == CBM:
        # What save_model() writes and pickling holds, without a file in between.
        data: bytes = cb_model._serialize_model()
        return data
    with tempfile.TemporaryDirectory() as folder:
        cb_model.save_model(os.path.join(folder, _FILE), format=form)
        return Path(folder, _FILE).read_bytes()


def save_model(
    cb_model: Any,
    path: str | os.PathLike[str],
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    mlflow_model: Model | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: Mapping[str, Any] | None = None,
    format: str = CBM,
) -> None:
    """Saves a model as a model directory, whole or not at all.

    Args:
        cb_model: A model of CatBoost that is fitted.
        path: A folder that does not exist or is empty.
        conda_env: A conda environment, or its file, instead of the requirements that are told.
        code_paths: Python files and folders that travel with the model.
        mlflow_model: Fields of the manifest that are known beforehand.
        signature: What the model takes and gives; False for none. Absent, it is inferred where
            there is an input example.
        input_example: A few rows of input, or a tuple of these and a mapping of params.
        pip_requirements: Requirements, or a file of them, instead of those that are told.
        extra_pip_requirements: Requirements, or a file of them, besides.
        metadata: What is kept with the model: text, numbers, lists and mappings.
        format: ``cbm``, or ``json``, whose numbers are rounded in the last digits.

    Raises:
        AlreadyExists: There is something at `path`.
        InvalidArgument: An argument has a wrong value, or the model is not fitted.
        NotFound: A file that was named is missing.
    """
    taken = snapshot(
        cb_model,
        format=format,
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
        _logger.warning("%s: %s", path, note)


def log_model(
    cb_model: Any,
    artifact_path: str | None = None,
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    registered_model_name: str | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: Mapping[str, Any] | None = None,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
    format: str = CBM,
) -> ModelInfo:
    """Logs a model as a logged model of the active run.

    The model's bytes are taken before this returns; training it further does not change them. The
    files are written in the background, unless code travels with the model.

    Args:
        cb_model: A model of CatBoost that is fitted.
        artifact_path: The model's name, under its old word.
        conda_env: As for `save_model`, like all that are not named below.
        code_paths: As for `save_model`.
        registered_model_name: None: there is no registry yet.
        signature: As for `save_model`.
        input_example: As for `save_model`.
        pip_requirements: As for `save_model`.
        extra_pip_requirements: As for `save_model`.
        metadata: As for `save_model`.
        name: The model's name; two words and a number if absent.
        params: Params of the model, besides those of the run.
        tags: Its tags.
        model_type: What kind of model it is, in your words.
        step: Step of the run that the model is of; metrics of that step are the model's too.
        model_id: A model that `autolog.initialize_logged_model` began; absent, a new one.
        format: As for `save_model`.

    Returns:
        What is known of it; `model_id` and `model_uri` among it.

    Raises:
        InvalidArgument: An argument has a wrong value, or the model is not fitted.
        NotFound: A file that was named is missing.
        InvalidState: The model `model_id` has its files already.
        NotSupported: `registered_model_name` is given.
    """
    return log_snapshot(
        lambda manifest: snapshot(
            cb_model,
            format=format,
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


def load_model(model_uri: str | os.PathLike[str], *, trust: bool | None = None) -> Any:
    """Loads the model of a model directory, of autolog or of MLflow.

    Args:
        model_uri: ``models:/<model id>``, ``runs:/<run id>/<name>``, the directory, or its
            ``file:`` address.
        trust: Whether the model may run code when it is loaded, where it brings Python files.
            Absent, the setting ``AUTOLOG_TRUST_MODELS`` says so, or that this user saved it.

    Raises:
        NotFound: There is no model.
        NotSupported: It is none of CatBoost.
        PermissionDenied: Loading it runs code, and nobody trusts it.
        InvalidArgument: The directory or its file is damaged.
    """
    folder = Path(model_folder(model_uri))
    return _load(folder, read_manifest(folder), trust)


def load_pyfunc(folder: Path, model: Model, trust: bool | None) -> CatboostWrapper:
    """Loads the model of a model directory, to predict as any model does."""
    return CatboostWrapper(_load(folder, model, trust))


def _load(folder: Path, model: Model, trust: bool | None) -> Any:
    conf = flavor_conf(folder, model, FLAVOR, "CatBoost")
    name, form = conf.get("model_type"), conf.get("save_format") or CBM
    if name not in _CLASSES:
        raise InvalidArgument(
            f"model_type of the model must be one of {', '.join(_CLASSES)}, got {name!r}"
        )
    if form not in _FORMATS:
        raise NotSupported(
            f"{folder} is saved as {form!r}; only {' and '.join(_FORMATS)} hold all of a model"
        )
    content = read_file(folder, conf, "data")
    _check(content, form)
    with trusted(folder, model, conf, [], trust):
        loaded = getattr(library(), name)()
        try:
            loaded.load_model(str(content.file), format=form)
        except Exception as error:  # CatBoost raises whatever its readers run into.
            raise damaged(content.file, error) from error
        return loaded


def _check(content: Content, form: str) -> None:
    """Refuses a file of another kind; CatBoost itself verifies the rest."""
    if content.known:
        return
    if form == CBM:
        length = int.from_bytes(content.data[4:8], "little")
        if not content.data.startswith(_HEAD) or len(content.data) < 8 + length:
            raise damaged(content.file, "it is no cbm file, or not whole")
        return
    try:
        whole = "model_info" in json.loads(content.data)
    except (ValueError, TypeError, RecursionError) as error:
        raise damaged(content.file, error) from error
    if not whole:
        # CatBoost takes any other object for a model without trees.
        raise damaged(content.file, "it does not tell of a model")


class CatboostWrapper:
    """A model of CatBoost that predicts as any model does."""

    def __init__(self, cb_model: Any) -> None:
        self.cb_model = cb_model

    def get_raw_model(self) -> Any:
        """Returns the model."""
        return self.cb_model

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Returns what the model predicts.

        Args:
            data: Rows.
            params: Not used, as MLflow does not.
        """
        return self.cb_model.predict(as_rows(data))
