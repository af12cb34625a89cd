"""Saving and loading scikit-learn models.

The default format is skops: loading it runs no code that the file could choose. A model that skops
cannot hold (a function or a class of your own, a lambda) is saved with cloudpickle, and a line of
the log says why. Some of scikit-learn's own classes, trees and neighbour indices among them, follow
numbers of the file without checks; skops does not trust them, so neither do we when such a file
comes from elsewhere: pass ``trust=True`` if you trust its source. Your own models load without.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autolog.instrument.models import log_model as log_snapshot
from autolog.instrument.models import model_folder
from autolog.sklearn.skops_format import RULES
from autolog_core.errors import InvalidArgument
from autolog_core.models import pickles, saving
from autolog_core.models.estimators import (
    PICKLE,
    check_format,
    pickled,
    read_estimator,
    write_estimator,
)
from autolog_core.models.flavors import flavor_conf
from autolog_core.models.manifest import PYFUNC, Model, ModelInfo, read_manifest
from autolog_core.models.pyfunc import pyfunc_flavor
from autolog_core.models.signature import ModelSignature
from autolog_core.models.snapshot import Parts, Snapshot, write

FLAVOR = "sklearn"
_PREDICT = ("predict", "predict_proba", "predict_log_proba", "predict_joint_log_proba", "score")


@dataclass(frozen=True, slots=True)
class SklearnPayload:
    """A fitted estimator as it was at one moment.

    Attributes:
        held: The estimator.
        predicts: Whether it has the method `predict_fn`.
        predict_fn: The method that predicts.
        wanted: The format that was asked for; None for the safest that holds it.
        trusted: Names of types that the user says are safe in skops.
    """

    held: pickles.Pickled
    predicts: bool
    predict_fn: str = "predict"
    wanted: str | None = None
    trusted: tuple[str, ...] = ()

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
        import sklearn

        written = write_estimator(folder, self.held, RULES, self.wanted, self.trusted)
        flavor = {
            "pickled_model": written.file,
            "serialization_format": written.form,
            "sklearn_version": sklearn.__version__,
            "skops_trusted_types": list(written.types) or None,
        }
        flavors: dict[str, Mapping[str, Any]] = {FLAVOR: flavor}
        if self.predicts:
            flavors[PYFUNC] = pyfunc_flavor(
                "mlflow.sklearn", model_path=written.file, predict_fn=self.predict_fn
            )
        return Parts(
            flavors,
            self.held.modules | {"sklearn"},
            ("scikit-learn", *written.needed),
            written.runs_code,
            written.notes,
        )


def snapshot(
    sk_model: Any,
    *,
    serialization_format: str | None = None,
    pyfunc_predict_fn: str = "predict",
    skops_trusted_types: Sequence[str] | None = None,
    **options: Any,
) -> Snapshot:
    """Returns a fitted estimator as it is now, to be written later and elsewhere.

    Args:
        sk_model: The estimator.
        serialization_format: As for `save_model`.
        pyfunc_predict_fn: As for `save_model`.
        skops_trusted_types: As for `save_model`.
        options: The fields of `autolog_core.models.saving.SaveOptions`.

    Raises:
        InvalidArgument: An argument has a wrong value, or the estimator cannot be pickled.
        NotFound: A file that was named is missing.
    """
    check_format(serialization_format)
    if pyfunc_predict_fn not in _PREDICT:
        raise InvalidArgument(
            f"pyfunc_predict_fn must be one of {', '.join(_PREDICT)}, got {pyfunc_predict_fn!r}"
        )
    predict = getattr(sk_model, pyfunc_predict_fn, None)
    payload = SklearnPayload(
        pickled(sk_model, serialization_format),
        predict is not None,
        pyfunc_predict_fn,
        serialization_format,
        tuple(skops_trusted_types or ()),
    )
    return saving.prepare(payload, saving.SaveOptions(**options), predict)


def save_model(
    sk_model: Any,
    path: str | os.PathLike[str],
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    mlflow_model: Model | None = None,
    serialization_format: str | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    pyfunc_predict_fn: str = "predict",
    metadata: Mapping[str, Any] | None = None,
    skops_trusted_types: Sequence[str] | None = None,
) -> None:
    """Saves a fitted estimator as a model directory, whole or not at all.

    Args:
        sk_model: The estimator, a pipeline among them.
        path: A folder that does not exist or is empty.
        conda_env: A conda environment, or its file, instead of the requirements that are told.
        code_paths: Python files and folders that travel with the model.
        mlflow_model: Fields of the manifest that are known beforehand.
        serialization_format: ``skops``, ``cloudpickle`` or ``pickle``. Absent, skops where it
            holds the model, else cloudpickle.
        signature: What the model takes and gives; False for none. Absent, it is inferred where
            there is an input example.
        input_example: A few rows of input.
        pip_requirements: Requirements, or a file of them, instead of those that are told.
        extra_pip_requirements: Requirements, or a file of them, besides.
        pyfunc_predict_fn: The method by which `autolog.pyfunc` predicts.
        metadata: What is kept with the model: text, numbers, lists and mappings.
        skops_trusted_types: Names of types that you say are safe to load with skops.

    Raises:
        AlreadyExists: There is something at `path`.
        InvalidArgument: An argument has a wrong value, or the format cannot hold the model.
        NotFound: A file that was named is missing.
    """
    import logging

    taken = snapshot(
        sk_model,
        serialization_format=serialization_format,
        pyfunc_predict_fn=pyfunc_predict_fn,
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
        logging.getLogger("autolog").warning("%s: %s", path, note)


def log_model(
    sk_model: Any,
    artifact_path: str | None = None,
    conda_env: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    serialization_format: str | None = None,
    registered_model_name: str | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    pyfunc_predict_fn: str = "predict",
    metadata: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
    name: str | None = None,
    skops_trusted_types: Sequence[str] | None = None,
) -> ModelInfo:
    """Logs a fitted estimator as a logged model of the active run.

    The estimator is copied before this returns; its files are written in the background, unless
    code travels with it.

    Args:
        sk_model: The estimator, a pipeline among them.
        artifact_path: The model's name, under its old word.
        conda_env: As for `save_model`.
        code_paths: As for `save_model`.
        serialization_format: As for `save_model`.
        registered_model_name: None: there is no registry yet.
        signature: As for `save_model`.
        input_example: As for `save_model`.
        pip_requirements: As for `save_model`.
        extra_pip_requirements: As for `save_model`.
        pyfunc_predict_fn: As for `save_model`.
        metadata: As for `save_model`.
        params: Params of the model, besides those of the run.
        tags: Its tags.
        model_type: What kind of model it is, in your words.
        step: Step of the run that the model is of; metrics of that step are the model's too.
        model_id: A model that `autolog.initialize_logged_model` began; absent, a new one.
        name: Its name; two words and a number if absent.
        skops_trusted_types: As for `save_model`.

    Returns:
        What is known of it; `model_id` and `model_uri` among it.

    Raises:
        InvalidArgument: An argument has a wrong value, or the estimator cannot be pickled.
        NotFound: A file that was named is missing.
        InvalidState: The model `model_id` has its files already.
        NotSupported: `registered_model_name` is given.
    """
    return log_snapshot(
        lambda manifest: snapshot(
            sk_model,
            serialization_format=serialization_format,
            pyfunc_predict_fn=pyfunc_predict_fn,
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
    """Loads the estimator of a model directory, of autolog or of MLflow.

    Args:
        model_uri: ``models:/<model id>``, ``runs:/<run id>/<name>``, the directory, or its
            ``file:`` address.
        trust: Whether the model may run code when it is loaded. Absent, the setting
            ``AUTOLOG_TRUST_MODELS`` says so, or that this user saved it.

    Raises:
        NotFound: There is no model, or it is none of scikit-learn.
        PermissionDenied: Loading it runs code, and nobody trusts it.
        InvalidArgument: The directory or its file is damaged.
    """
    folder = Path(model_folder(model_uri))
    return _load(folder, read_manifest(folder), trust)


def load_pyfunc(folder: Path, model: Model, trust: bool | None) -> SklearnWrapper:
    """Loads the estimator of a model directory, to predict as any model does."""
    return SklearnWrapper(_load(folder, model, trust))


def _load(folder: Path, model: Model, trust: bool | None) -> Any:
    conf = flavor_conf(folder, model, FLAVOR, "scikit-learn")
    return read_estimator(folder, model, conf, "pickled_model", RULES, trust, PICKLE)


class SklearnWrapper:
    """An estimator that predicts as any model does."""

    def __init__(self, estimator: Any) -> None:
        self.sklearn_model = estimator
        for name in _PREDICT[1:]:
            # The manifest may name any of them as the one that predicts.
            if hasattr(estimator, name):
                setattr(self, name, getattr(estimator, name))

    def get_raw_model(self) -> Any:
        """Returns the estimator."""
        return self.sklearn_model

    def predict(self, data: Any) -> Any:
        """Returns what the estimator predicts."""
        return self.sklearn_model.predict(data)
