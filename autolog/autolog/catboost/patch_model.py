"""What is kept of a fitted model: the model itself, checkpoints of it, importances of features."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autolog.catboost import extract, extract_params, flavor
from autolog.catboost.spec import LOSS, PREDICTION
from autolog.instrument.charts import Chart
from autolog_core.errors import InvalidArgument
from autolog_core.models.infer import infer_schema
from autolog_core.models.rows import first_rows
from autolog_core.models.saving import with_payload
from autolog_core.models.signature import ModelSignature

if TYPE_CHECKING:
    from autolog.catboost.spec import CatboostOptions
    from autolog.instrument.recorder import Recorder
    from autolog_core.models.manifest import Model
    from autolog_core.models.snapshot import Snapshot

RESOLVED = "catboost_params.json"
# Where CatBoost keeps what it was last asked for.
_KEPT = ("_prediction_values_change", "_loss_value_change")


def log_model(
    model: Any,
    recorder: Recorder,
    options: CatboostOptions,
    rows: Any,
    *,
    step: int,
    name: str = "model",
) -> str | None:
    """Logs a fitted model, if models are to be kept.

    Args:
        model: Fitted.
        recorder: Of its training.
        options: Of the integration.
        rows: A few rows of its input, or None.
        step: Iteration of its last tree.
        name: Of the logged model.

    Returns:
        Its id; None if it is not kept.
    """
    if not options.log_models:
        recorder.skipped(name, "log_models is False")
        recorder.trained(model)
        return None
    signature = signature_of(model, recorder, options, rows)
    try:
        return recorder.model(
            _maker(model, recorder, signature, rows if options.log_input_examples else None),
            name=name,
            step=step,
            subject=model,
        )
    except InvalidArgument as error:
        recorder.skipped(name, str(error))
        recorder.trained(model)
        return None


def log_checkpoints(
    model: Any,
    recorder: Recorder,
    options: CatboostOptions,
    rows: Any,
    *,
    before: int,
    curves: Sequence[extract.Curve],
) -> None:
    """Logs the model as it was at earlier iterations, as the user's policy asks for.

    CatBoost tells nobody of a model before it is whole; its first trees are what it was.

    Args:
        model: Fitted.
        recorder: Of its training.
        options: Of the integration.
        rows: A few rows of its input, or None.
        before: Trees that it began with.
        curves: What the training reported.
    """
    if not recorder.wants_checkpoints():
        return
    signature = signature_of(model, recorder, options, rows)
    example = rows if options.log_input_examples else None
    kind = flavor.own_class(model)
    trees = extract.tree_count(model) - before
    columns = [(curve.key, dict(zip(curve.steps, curve.values, strict=True))) for curve in curves]
    whole: bytes = model._serialize_model()
    for step in range(trees):
        values = {key: column[step] for key, column in columns if step in column}

        def make(manifest: Model, end: int = before + step + 1) -> Snapshot:
            part = kind()
            part.load_model(blob=whole)
            part.shrink(end)
            return _maker(part, recorder, signature, example)(manifest)

        recorder.checkpoint(make, step=step, metrics=values)
    done = max((curve.steps[-1] + 1 for curve in curves), default=trees)
    if done > trees:
        recorder.skipped(
            f"checkpoints of iterations {trees} to {done - 1}", "CatBoost kept the best model only"
        )


def signature_of(
    model: Any, recorder: Recorder, options: CatboostOptions, rows: Any
) -> ModelSignature | None:
    """Returns what a model takes and gives, told from a few rows, or None."""
    if not options.log_model_signatures:
        return None
    if rows is None:
        recorder.skipped("signature", "there are no rows of the data to tell it from")
        return None
    try:
        inputs = infer_schema(rows)
    except InvalidArgument as error:
        recorder.skipped("signature", str(error))
        return None
    try:
        # That of a class of the user's may differ, and is not what will be loaded.
        outputs = infer_schema(first_rows(flavor.own_class(model).predict(model, rows)))
    except Exception as error:
        recorder.skipped("output of the signature", f"{type(error).__name__}: {error}")
        outputs = None
    return ModelSignature(inputs, outputs)


def _maker(
    model: Any, recorder: Recorder, signature: ModelSignature | None, example: Any
) -> Callable[[Model], Snapshot]:
    def make(manifest: Model) -> Snapshot:
        taken = flavor.snapshot(
            model, mlflow_model=manifest, signature=signature or False, input_example=example
        )
        for note in getattr(taken.payload, "notes", ()):
            recorder.skipped("class of the model", note)
        # They are in the report: the log need not say them at each training.
        return with_payload(taken, replace(taken.payload, notes=()))  # type: ignore[type-var]

    return make


def log_resolved(resolved: Mapping[str, Any], recorder: Recorder, known: Mapping[str, str]) -> None:
    """Logs all params of a fitted model, as the training had them in the end.

    Args:
        resolved: The params.
        recorder: Of the training.
        known: Params that are logged already.
    """
    recorder.params(extract_params.chosen_params(resolved, known))
    recorder.artifact(RESOLVED, json.dumps(resolved, indent=1, default=extract_params.text_of))


def log_importances(
    model: Any, recorder: Recorder, kinds: Sequence[str] | None, pool: Callable[[], Any]
) -> None:
    """Logs the importance of each feature, once for each kind, as data and as a picture.

    Args:
        model: Fitted.
        recorder: Of its training.
        kinds: Which; None for the one that needs no data.
        pool: Returns the training data as a Pool.
    """
    for kind in dict.fromkeys(kinds if kinds is not None else (PREDICTION,)):
        with recorder.part(f"feature importance {kind}"):
            try:
                values = importances(model, kind, pool if kind == LOSS else None)
            except flavor.library().CatBoostError as error:
                recorder.skipped(f"feature_importance_{kind}", str(error))
                continue
            chart = Chart(
                "bars",
                f"Feature importance ({kind})",
                x_label="importance",
                names=list(values),
                values=[list(values.values())],
            )
            data = {name: each if math.isfinite(each) else None for name, each in values.items()}
            recorder.chart(f"feature_importance_{kind}", chart, data)


def importances(model: Any, kind: str, pool: Callable[[], Any] | None = None) -> dict[str, float]:
    """Returns the importance of each feature; the model is left as it was.

    Args:
        model: Fitted.
        kind: "PredictionValuesChange" or "LossFunctionChange".
        pool: Returns the data to measure with, where the kind needs it.

    Raises:
        CatBoostError: CatBoost cannot tell.
    """
    values = getattr(model, _KEPT[0], None) if kind == PREDICTION else None
    if values is None:
        with _kept(model):
            data = None if pool is None else pool()
            values = flavor.own_class(model).get_feature_importance(model, data=data, type=kind)
    return {
        str(name): float(value) for name, value in zip(model.feature_names_, values, strict=True)
    }


@contextmanager
def _kept(model: Any) -> Iterator[None]:
    attributes = vars(model)
    before = {name: attributes[name] for name in _KEPT if name in attributes}
    try:
        yield
    finally:
        for name in _KEPT:
            attributes.pop(name, None)
        attributes.update(before)
