"""What is kept of a fitted estimator: the model itself, and pictures of what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autolog_core.errors import InvalidArgument
from autolog_core.models.rows import first_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autolog.instrument.recorder import Recorder
    from autolog.sklearn.extract_metrics import Labelled
    from autolog.sklearn.spec import SklearnOptions
    from autolog_core.models.signature import ModelSignature

BEST = "best_estimator"


def log_estimator(
    estimator: Any,
    recorder: Recorder,
    options: SklearnOptions,
    features: Any = None,
    answer: Any = None,
    *,
    name: str = "model",
    step: int = 0,
    params: Mapping[str, object] | None = None,
) -> None:
    """Logs a fitted estimator as a model, if models are to be kept.

    Args:
        estimator: Fitted.
        recorder: Of its training.
        options: The integration's.
        features: What it was fitted with, of which the first rows tell the signature.
        answer: What it predicted for these, if it was asked; else it is asked for the first rows.
        name: Of the logged model.
        step: Step of the run that it is of.
        params: Of the model, besides those of the run.
    """
    from autolog.sklearn import flavor

    if not options.log_models:
        recorder.skipped(name, "log_models is False")
        recorder.trained(estimator)
        return
    rows = first_rows(features)
    signature = None
    if options.log_model_signatures:
        signature = _signature(estimator, recorder, rows, answer)
    example = rows if options.log_input_examples else None
    try:
        recorder.model(
            lambda manifest: flavor.snapshot(
                estimator,
                serialization_format=options.serialization_format,
                mlflow_model=manifest,
                signature=signature or False,
                input_example=example,
            ),
            name=name,
            step=step,
            params=params,
            subject=estimator,
        )
    except InvalidArgument as error:
        # A lock or an open file in an estimator of the user's is no fault of ours.
        recorder.skipped(name, str(error))
        recorder.trained(estimator)


def log_best_estimator(
    search: Any, recorder: Recorder, options: SklearnOptions, *, step: int = 0
) -> None:
    """Logs the estimator that a search found best and fitted anew, with its params."""
    from autolog.sklearn import extract

    best = getattr(search, "best_estimator_", None)
    if best is None or not options.log_models:
        return
    params = extract.estimator_params(best)
    log_estimator(best, recorder, options, name=BEST, step=step, params=params)


def draw_classifier(found: Labelled, recorder: Recorder) -> None:
    """Keeps the confusion matrix, and with two labels the ROC and precision-recall curves."""
    from autolog.sklearn import extract_charts as charts

    if len(found.labels) > charts.MOST_LABELS:
        why = f"{len(found.labels)} labels; it is kept up to {charts.MOST_LABELS}"
        recorder.skipped("training_confusion_matrix", why)
    else:
        chart, data = charts.confusion(found)
        recorder.chart("training_confusion_matrix", chart, data)
    if charts.has_both(found):
        recorder.chart("training_roc_curve", charts.roc_curve(found))
        recorder.chart("training_precision_recall_curve", charts.precision_recall_curve(found))


def _signature(estimator: Any, recorder: Recorder, rows: Any, answer: Any) -> ModelSignature | None:
    from autolog.sklearn.extract_random import kept_random_state
    from autolog.sklearn.state import kept_attributes
    from autolog_core.models.infer import infer_schema
    from autolog_core.models.signature import ModelSignature

    if rows is None:
        recorder.skipped("signature", "the first rows of the data cannot be had without the rest")
        return None
    if isinstance(rows, list) and rows and isinstance(rows[0], str):
        # Whoever enforces it would hand the text over as a table, which vectorizers cannot read.
        recorder.skipped("signature", "texts are no table")
        return None
    try:
        inputs = infer_schema(rows)
    except InvalidArgument as error:
        recorder.skipped("signature", str(error))
        return None
    try:
        if answer is None:
            with kept_attributes(estimator), kept_random_state(estimator):
                answer = _ask(estimator, rows)
        outputs = None if answer is None else infer_schema(first_rows(answer))
    except Exception as error:
        # What predicts from all rows only (neighbours of few rows, say) has no known output.
        recorder.skipped("output of the signature", f"{type(error).__name__}: {error}")
        outputs = None
    return ModelSignature(inputs, outputs)


def _ask(estimator: Any, rows: Any) -> Any:
    for method in ("predict", "transform"):
        if hasattr(estimator, method):
            return getattr(estimator, method)(rows)
    return None
