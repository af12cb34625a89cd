"""Saving and loading models of XGBoost.

A booster is kept as UBJSON (or JSON, when asked for), which can run no code: it loads without
trust. An estimator is its booster and a small JSON file of its params. Only a class of the user's
own, and Python files that travel with the model, ask for trust.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autolog.instrument.models import log_model as log_snapshot
from autolog.instrument.models import model_folder
from autolog.xgboost.estimator import (
    BOOSTER,
    FILE,
    class_name,
    describe,
    find_class,
    is_own,
    library,
    restore,
)
from autolog.xgboost.ubjson import check_ubjson
from autolog.xgboost.wrapper import XgboostWrapper
from autolog_core.errors import InvalidArgument
from autolog_core.models import saving
from autolog_core.models.flavors import (
    DIGESTS,
    Broken,
    Content,
    damaged,
    flavor_conf,
    read_file,
    trusted,
    write_files,
)
from autolog_core.models.manifest import PYFUNC, Model, ModelInfo, read_manifest
from autolog_core.models.pyfunc import pyfunc_flavor
from autolog_core.models.signature import ModelSignature
from autolog_core.models.snapshot import Parts, Snapshot, write

_logger = logging.getLogger("autolog")
FLAVOR = "xgboost"
# MLflow's name "xgb" is of a format that XGBoost writes no more: it is UBJSON under that name.
_FORMATS = {"ubj": "ubj", "json": "json", "xgb": "ubj"}
_OLD = (b"binf", b"bs64")


@dataclass(frozen=True, slots=True)
class XgboostPayload:
    """A model as it was at one moment.

    Attributes:
        booster: The bytes of its booster.
        model_format: The name of their format.
        model_class: Full name of the class to load it as.
        estimator: The text of ``estimator.json``; None for a booster.
        notes: What the user should know about how it is saved.
    """

    booster: bytearray
    model_format: str
    model_class: str
    estimator: bytes | None = None
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return len(self.booster) + len(self.estimator or b"")

    def write(self, folder: Path) -> Parts:
        """Writes the booster, and what an estimator is besides."""
        name = f"model.{self.model_format}"
        files: dict[str, bytes | bytearray] = {name: self.booster}
        if self.estimator is not None:
            files[FILE] = self.estimator
        flavor = {
            "data": name,
            "model_class": self.model_class,
            "model_format": self.model_format,
            "xgb_version": library().__version__,
            DIGESTS: write_files(folder, files),
        }
        if self.estimator is not None:
            flavor["estimator"] = FILE
        foreign = () if is_own(self.model_class) else (_class_reason(self.model_class),)
        modules = {FLAVOR, self.model_class, *(("sklearn",) if self.estimator is not None else ())}
        return Parts(
            {FLAVOR: flavor, PYFUNC: pyfunc_flavor("mlflow.xgboost", data=name)},
            frozenset(modules),
            (),
            foreign,
            self.notes,
        )


def _class_reason(name: str) -> str:
    return f"its class {name} is none of XGBoost's"


def snapshot(xgb_model: Any, *, model_format: str = "ubj", **options: Any) -> Snapshot:
    """Returns a model as it is now, to be written later and elsewhere.

    Args:
        xgb_model: A booster, or an estimator of XGBoost that is fitted.
        model_format: As for `save_model`.
        options: The fields of `autolog_core.models.saving.SaveOptions`.

    Raises:
        InvalidArgument: An argument has a wrong value, or the model is not fitted.
        NotFound: A file that was named is missing.
    """
    xgboost = library()
    if model_format not in _FORMATS:
        raise InvalidArgument(
            f"model_format must be one of {', '.join(_FORMATS)}, got {model_format!r}"
        )
    told: bytes | None = None
    lost: tuple[str, ...] = ()
    if isinstance(xgb_model, xgboost.Booster):
        booster = xgb_model
    elif isinstance(xgb_model, xgboost.XGBModel):
        if not xgb_model.__sklearn_is_fitted__():
            raise InvalidArgument(
                f"xgb_model {type(xgb_model).__name__} is not fitted: call its fit() first"
            )
        booster = xgb_model.get_booster()
        told, lost = describe(xgb_model)
    else:
        raise InvalidArgument(
            f"xgb_model must be a Booster or an estimator of XGBoost, got {xgb_model!r}"
        )
    name, note = class_name(xgb_model)
    notes = [note] if note else []
    if lost:
        notes.append(f"the params {', '.join(lost)} are no values of JSON and are left out")
    payload = XgboostPayload(
        booster.save_raw(_FORMATS[model_format]), model_format, name, told, tuple(notes)
    )
    return saving.prepare(payload, saving.SaveOptions(**options), XgboostWrapper(xgb_model).predict)


def save_model(
    xgb_model: Any,
    path: str | os.PathLike[str],
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    mlflow_model: Model | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    model_format: str = "ubj",
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Saves a model as a model directory, whole or not at all.

    Args:
        xgb_model: A booster, or an estimator of XGBoost that is fitted.
        path: A folder that does not exist or is empty.
        conda_env: A conda environment, or its file, instead of the requirements that are told.
        code_paths: Python files and folders that travel with the model.
        mlflow_model: Fields of the manifest that are known beforehand.
        signature: What the model takes and gives; False for none. Absent, it is inferred where
            there is an input example.
        input_example: A few rows of input, or a tuple of these and a mapping of params.
        pip_requirements: Requirements, or a file of them, instead of those that are told.
        extra_pip_requirements: Requirements, or a file of them, besides.
        model_format: ``ubj``, ``json``, or ``xgb``, which is UBJSON under an old name.
        metadata: What is kept with the model: text, numbers, lists and mappings.

    Raises:
        AlreadyExists: There is something at `path`.
        InvalidArgument: An argument has a wrong value, or the model is not fitted.
        NotFound: A file that was named is missing.
    """
    taken = snapshot(
        xgb_model,
        model_format=model_format,
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
    xgb_model: Any,
    artifact_path: str | None = None,
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    registered_model_name: str | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    model_format: str = "ubj",
    metadata: Mapping[str, Any] | None = None,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
) -> ModelInfo:
    """Logs a model as a logged model of the active run.

    The booster's bytes are taken before this returns; training it further does not change them. The
    files are written in the background, unless code travels with the model.

    Args:
        xgb_model: A booster, or an estimator of XGBoost that is fitted.
        artifact_path: The model's name, under its old word.
        conda_env: As for `save_model`, like all that are not named below.
        code_paths: As for `save_model`.
        registered_model_name: None: there is no registry yet.
        signature: As for `save_model`.
        input_example: As for `save_model`.
        pip_requirements: As for `save_model`.
        extra_pip_requirements: As for `save_model`.
        model_format: As for `save_model`.
        metadata: As for `save_model`.
        name: The model's name; two words and a number if absent.
        params: Params of the model, besides those of the run.
        tags: Its tags.
        model_type: What kind of model it is, in your words.
        step: Step of the run that the model is of; metrics of that step are the model's too.
        model_id: A model that `autolog.initialize_logged_model` began; absent, a new one.

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
            xgb_model,
            model_format=model_format,
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
    """Loads the booster or estimator of a model directory, of autolog or of MLflow.

    Args:
        model_uri: ``models:/<model id>``, ``runs:/<run id>/<name>``, the directory, or its
            ``file:`` address.
        trust: Whether the model may run code when it is loaded, where it would: Python files that
            it brings, a class that is none of XGBoost's. Absent, the setting
            ``AUTOLOG_TRUST_MODELS`` says so, or that this user saved it.

    Raises:
        NotFound: There is no model.
        NotSupported: It is none of XGBoost.
        PermissionDenied: Loading it runs code, and nobody trusts it.
        InvalidArgument: The directory or its file is damaged.
    """
    folder = Path(model_folder(model_uri))
    return _load(folder, read_manifest(folder), trust)


def load_pyfunc(folder: Path, model: Model, trust: bool | None) -> XgboostWrapper:
    """Loads the model of a model directory, to predict as any model does."""
    return XgboostWrapper(_load(folder, model, trust))


def _load(folder: Path, model: Model, trust: bool | None) -> Any:
    conf = flavor_conf(folder, model, FLAVOR, "XGBoost")
    name = str(conf.get("model_class") or BOOSTER)
    booster = _read_booster(folder, conf)
    told = read_file(folder, conf, "estimator") if conf.get("estimator") else None
    reasons = [] if is_own(name) else [_class_reason(name)]
    with trusted(folder, model, conf, reasons, trust):
        kind = find_class(name)
        data = bytearray(booster.data)
        try:
            if not issubclass(kind, library().Booster):
                return restore(kind, data, told)
            loaded = kind()
            loaded.load_model(data)
        except InvalidArgument:
            raise
        except Exception as error:  # XGBoost raises whatever its reader runs into.
            raise damaged(booster.file, error) from error
        return loaded


def _read_booster(folder: Path, conf: Mapping[str, Any]) -> Content:
    """Returns a booster's file, once it is sure that it does not end the process by being read."""
    content = read_file(folder, conf, "data")
    if content.data.startswith(_OLD):
        raise damaged(
            content.file,
            "it is of the binary format that XGBoost reads no more; load it with XGBoost 3.0 or "
            "older, and save it again",
        )
    is_json = content.data[:2] == b'{"'
    if not (content.known or is_json):
        try:
            check_ubjson(content.data)
        except Broken as broken:
            raise damaged(content.file, broken) from broken
    return content
