"""Saving and loading models of LightGBM.

A booster is kept as LightGBM's text, an estimator as skops, with the same text inside. Neither can
run code, so both load without trust. An estimator that skops cannot hold (a function as objective)
is saved with cloudpickle, and loading that asks for trust.
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
from autolog.lightgbm.extract import plain_scores
from autolog.lightgbm.text import check_text
from autolog.lightgbm.wrapper import LightgbmWrapper
from autolog_core.errors import InvalidArgument, MissingExtra
from autolog_core.models import pickles, saving
from autolog_core.models.estimators import check_format, pickled, read_estimator, write_estimator
from autolog_core.models.flavors import (
    DIGESTS,
    damaged,
    flavor_conf,
    read_file,
    trusted,
    write_files,
)
from autolog_core.models.manifest import PYFUNC, Model, ModelInfo, read_manifest
from autolog_core.models.pyfunc import pyfunc_flavor
from autolog_core.models.signature import ModelSignature
from autolog_core.models.skops_files import Rules
from autolog_core.models.snapshot import Parts, Snapshot, write

_logger = logging.getLogger("autolog")
FLAVOR = "lightgbm"
BOOSTER = "lightgbm.basic.Booster"
_FILE = "model.lgb"
# A booster makes itself from its text; the others are values by name.
_RULES = Rules(
    safe=frozenset(
        (
            "collections.OrderedDict",
            BOOSTER,
            "lightgbm.sklearn.LGBMClassifier",
            "lightgbm.sklearn.LGBMModel",
            "lightgbm.sklearn.LGBMRanker",
            "lightgbm.sklearn.LGBMRegressor",
        )
    ),
    libraries=frozenset(("collections", "lightgbm", "numpy", "scipy", "sklearn")),
    extra="lightgbm",
)


def library() -> Any:
    """Returns the module of LightGBM.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        import lightgbm
    except ModuleNotFoundError as error:
        raise MissingExtra("lightgbm is needed for this model: pip install lightgbm") from error
    return lightgbm


@dataclass(frozen=True, slots=True)
class BoosterPayload:
    """A booster as it was at one moment.

    Attributes:
        text: Its text, up to the best iteration.
        best: What the text does not say: the best iteration and its scores.
    """

    text: bytes
    best: Mapping[str, Any]

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return len(self.text)

    def write(self, folder: Path) -> Parts:
        """Writes the text."""
        digests = write_files(folder, {_FILE: self.text})
        conf = {"data": _FILE, "model_class": BOOSTER, **self.best, DIGESTS: digests}
        return Parts(_flavors(_FILE, conf), frozenset((FLAVOR,)))


@dataclass(frozen=True, slots=True)
class EstimatorPayload:
    """An estimator as it was at one moment.

    Attributes:
        held: The estimator.
        model_class: Full name of its class.
        wanted: The format that was asked for; None for the safest that holds it.
        trusted: Names of types that the user says are safe in skops.
    """

    held: pickles.Pickled
    model_class: str
    wanted: str | None
    trusted: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return len(self.held.data)

    def write(self, folder: Path) -> Parts:
        """Writes the estimator's file.

        Raises:
            InvalidArgument: The format that was asked for cannot hold it.
            MissingExtra: skops was asked for, and is not installed.
        """
        written = write_estimator(folder, self.held, _RULES, self.wanted, self.trusted)
        conf = {
            "data": written.file,
            "model_class": self.model_class,
            "serialization_format": written.form,
            "skops_trusted_types": list(written.types) or None,
        }
        return Parts(
            _flavors(written.file, conf),
            self.held.modules | {FLAVOR, "sklearn"},
            written.needed,
            written.runs_code,
            written.notes,
        )


def _flavors(file: str, conf: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    flavor = {**conf, "lgb_version": library().__version__}
    return {FLAVOR: flavor, PYFUNC: pyfunc_flavor("mlflow.lightgbm", data=file)}


def snapshot(
    lgb_model: Any,
    *,
    serialization_format: str | None = None,
    skops_trusted_types: Sequence[str] | None = None,
    num_iteration: int | None = None,
    **options: Any,
) -> Snapshot:
    """Returns a model as it is now, to be written later and elsewhere.

    Args:
        lgb_model: A booster, or an estimator of LightGBM that is fitted.
        serialization_format: As for `save_model`.
        skops_trusted_types: As for `save_model`.
        num_iteration: Of a booster: only so many of its first iterations. Absent, up to the best.
        options: The fields of `autolog_core.models.saving.SaveOptions`.

    Raises:
        InvalidArgument: An argument has a wrong value, the model is not fitted, or it cannot be
            pickled.
        NotFound: A file that was named is missing.
    """
    lightgbm = library()
    check_format(serialization_format)
    payload: BoosterPayload | EstimatorPayload
    if isinstance(lgb_model, lightgbm.Booster):
        best = {
            "best_iteration": max(lgb_model.best_iteration, 0) or None,
            "best_score": plain_scores(lgb_model.best_score),
        }
        text = lgb_model.model_to_string(num_iteration=num_iteration).encode()
        payload = BoosterPayload(text, {name: each for name, each in best.items() if each})
    elif isinstance(lgb_model, lightgbm.LGBMModel):
        own = type(lgb_model)
        if not lgb_model.__sklearn_is_fitted__():
            raise InvalidArgument(f"lgb_model {own.__name__} is not fitted: call its fit() first")
        payload = EstimatorPayload(
            pickled(lgb_model, serialization_format),
            f"{own.__module__}.{own.__qualname__}",
            serialization_format,
            tuple(skops_trusted_types or ()),
        )
    else:
        raise InvalidArgument(
            f"lgb_model must be a Booster or an estimator of LightGBM, got {lgb_model!r}"
        )
    return saving.prepare(
        payload, saving.SaveOptions(**options), LightgbmWrapper(lgb_model).predict
    )


def save_model(
    lgb_model: Any,
    path: str | os.PathLike[str],
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    mlflow_model: Model | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: Mapping[str, Any] | None = None,
    serialization_format: str | None = None,
    skops_trusted_types: Sequence[str] | None = None,
) -> None:
    """Saves a model as a model directory, whole or not at all.

    Args:
        lgb_model: A booster, or an estimator of LightGBM that is fitted.
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
        serialization_format: Of an estimator: ``skops``, ``cloudpickle`` or ``pickle``. Absent,
            skops where it holds the estimator, else cloudpickle.
        skops_trusted_types: Names of types that you say are safe to load with skops.

    Raises:
        AlreadyExists: There is something at `path`.
        InvalidArgument: An argument has a wrong value, or the model is not fitted.
        NotFound: A file that was named is missing.
    """
    taken = snapshot(
        lgb_model,
        serialization_format=serialization_format,
        skops_trusted_types=skops_trusted_types,
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
    lgb_model: Any,
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
    serialization_format: str | None = None,
    skops_trusted_types: Sequence[str] | None = None,
) -> ModelInfo:
    """Logs a model as a logged model of the active run.

    The booster's bytes are taken before this returns; training it further does not change them. The
    files are written in the background, unless code travels with the model.

    Args:
        lgb_model: A booster, or an estimator of LightGBM that is fitted.
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
        serialization_format: As for `save_model`.
        skops_trusted_types: As for `save_model`.

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
            lgb_model,
            serialization_format=serialization_format,
            skops_trusted_types=skops_trusted_types,
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
        trust: Whether the model may run code when it is loaded, where it would: a pickle, Python
            files that it brings. Absent, the setting ``AUTOLOG_TRUST_MODELS`` says so, or that
            this user saved it.

    Raises:
        NotFound: There is no model.
        NotSupported: It is none of LightGBM.
        PermissionDenied: Loading it runs code, and nobody trusts it.
        InvalidArgument: The directory or its file is damaged.
    """
    folder = Path(model_folder(model_uri))
    return _load(folder, read_manifest(folder), trust)


def load_pyfunc(folder: Path, model: Model, trust: bool | None) -> LightgbmWrapper:
    """Loads the model of a model directory, to predict as any model does."""
    return LightgbmWrapper(_load(folder, model, trust))


def _load(folder: Path, model: Model, trust: bool | None) -> Any:
    conf = flavor_conf(folder, model, FLAVOR, "LightGBM")
    lightgbm = library()
    if conf.get("model_class", BOOSTER) == BOOSTER:
        return _load_booster(folder, model, conf, trust)
    found = read_estimator(folder, model, conf, "data", _RULES, trust)
    if not isinstance(found, lightgbm.LGBMModel):
        raise damaged(folder / str(conf["data"]), f"it holds a {type(found).__name__}")
    return found


def _load_booster(folder: Path, model: Model, conf: Mapping[str, Any], trust: bool | None) -> Any:
    lightgbm = library()
    content = read_file(folder, conf, "data")
    with trusted(folder, model, conf, [], trust):
        try:
            if not content.known:
                check_text(content.data)
            booster = lightgbm.Booster(model_str=content.data.decode())
            booster.best_iteration = int(conf.get("best_iteration") or booster.best_iteration)
            booster.best_score = dict(conf.get("best_score") or booster.best_score)
        except (ValueError, TypeError, lightgbm.basic.LightGBMError) as error:
            raise damaged(content.file, error) from error
        return booster
