"""What is kept of a training when it is over: its best iteration, importances, the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autolog.instrument.charts import Chart
from autolog.lightgbm import extract
from autolog.lightgbm.progress import write
from autolog_core.errors import InvalidArgument

if TYPE_CHECKING:
    from autolog.instrument.recorder import Recorder
    from autolog.instrument.spec import Options
    from autolog.lightgbm.progress import Progress
    from autolog_core.models.manifest import Model
    from autolog_core.models.signature import ModelSignature
    from autolog_core.models.snapshot import Snapshot

IMPORTANCES = ("split", "gain")


def log_end(recorder: Recorder, booster: Any, progress: Progress | None) -> int:
    """Logs where a training stopped, and the importances of the features.

    Args:
        recorder: Of the training.
        booster: What was trained.
        progress: What was told of its iterations; None for nothing.

    Returns:
        The iteration that the model is of, from 0: the best one, else the last.
    """
    last = None if progress is None else progress.last
    best = booster.best_iteration
    if best > 0 and progress is not None and last is not None:
        with recorder.part("early stopping"):
            log_stopping(recorder, best, extract.best_readings(booster.best_score), progress)
    with recorder.part("importances"):
        log_importances(booster, recorder)
    if best > 0:
        return int(best) - 1
    # A booster that finds nothing to split any more is told of further iterations all the same.
    return int(booster.current_iteration()) - 1 if last is None else last


def log_stopping(
    recorder: Recorder, best: int, found: list[extract.Reading], progress: Progress
) -> None:
    """Logs where early stopping found the best iteration, and the metrics there.

    Args:
        recorder: Of the training.
        best: The best iteration as LightGBM counts, from 1.
        found: What LightGBM reports of it.
        progress: What was told of the iterations.
    """
    suffix, last = progress.suffix, progress.last or 0
    recorder.metrics({f"best_iteration{suffix}": best, f"stopped_iteration{suffix}": last + 1})
    write(recorder, found, 0, progress.datasets, suffix, "best_")


def log_importances(booster: Any, recorder: Recorder) -> None:
    """Keeps the importances of the features, as data under MLflow's names and as pictures."""
    for kind in IMPORTANCES:
        values = extract.importances(booster, kind)
        chart = Chart(
            "bars",
            f"Feature Importance ({kind})",
            x_label="Importance",
            names=list(values),
            values=[list(values.values())],
        )
        recorder.chart(f"feature_importance_{kind}", chart, values)


def log_model(
    model: Any,
    recorder: Recorder,
    options: Options,
    rows: Any,
    step: int,
    subject: Any = None,
) -> None:
    """Logs the model of a training, if models are to be kept.

    Args:
        model: A booster or an estimator.
        recorder: Of the training.
        options: Of the integration.
        rows: The first rows of the training data; None where they are not known.
        step: The iteration that the model is of, from 0.
        subject: What the user holds, if it is not `model` itself.
    """
    from autolog.lightgbm import flavor

    subject = model if subject is None else subject
    if not options.log_models:
        recorder.skipped("model", "log_models is False")
        recorder.trained(subject)
        return
    signature = None
    if options.log_model_signatures:
        with recorder.part("signature"):
            signature = signature_of(model, recorder, rows)
    example = _example(recorder, rows) if options.log_input_examples else None
    try:
        recorder.model(
            lambda manifest: flavor.snapshot(
                model,
                mlflow_model=manifest,
                signature=signature or False,
                input_example=example,
            ),
            step=step,
            subject=subject,
        )
    except InvalidArgument as error:
        # A lock or an open file in an estimator of the user's is no fault of ours.
        recorder.skipped("model", str(error))
        recorder.trained(subject)


def _example(recorder: Recorder, rows: Any) -> Any:
    """Returns the rows if they can be kept with a model."""
    from autolog_core.models.example import make_example

    why = "the first rows of the data are not known"
    if rows is not None:
        try:
            make_example(rows)
            return rows
        except InvalidArgument as error:
            why = str(error)
    recorder.skipped("input example", why)
    return None


class Checkpoints:
    """Logs boosters in the midst of a training, when the user's policy says that one is due.

    Args:
        recorder: Of the training.
        options: Of the integration.
        rows: The first rows of the training data; None where they are not known.
    """

    def __init__(self, recorder: Recorder, options: Options, rows: Any) -> None:
        self._recorder = recorder
        self._options = options
        self._rows = rows
        self._signature: ModelSignature | None = None

    def __call__(
        self,
        booster: Any,
        step: int,
        metrics: Mapping[str, float],
        num_iteration: int | None = None,
    ) -> None:
        """Logs the booster, or its first iterations, if that is due.

        Args:
            booster: What is trained.
            step: The iteration, from 0.
            metrics: Values of that iteration.
            num_iteration: How many iterations the checkpoint has, if not all.
        """
        from autolog.lightgbm import flavor

        def make(manifest: Model) -> Snapshot:
            if self._signature is None and self._options.log_model_signatures:
                self._signature = signature_of(booster, self._recorder, self._rows)
            return flavor.snapshot(
                booster,
                mlflow_model=manifest,
                signature=self._signature or False,
                num_iteration=num_iteration,
            )

        self._recorder.checkpoint(make, step=step, metrics=metrics)


def checkpoints(recorder: Recorder, options: Options, rows: Any) -> Checkpoints | None:
    """Returns what logs checkpoints; None if the user has asked for none."""
    return Checkpoints(recorder, options, rows) if recorder.wants_checkpoints() else None


def signature_of(model: Any, recorder: Recorder, rows: Any) -> ModelSignature | None:
    """Returns what a model takes and gives.

    LightGBM is not asked to predict: that would set the number of threads and the verbosity of the
    whole process. What it gives is known; only a class of the user's is asked.
    """
    from autolog_core.models.infer import infer_schema
    from autolog_core.models.signature import ModelSignature

    if rows is None:
        rows = _any_row(model)
    try:
        inputs = infer_schema(rows)
    except InvalidArgument as error:
        recorder.skipped("signature", str(error))
        return None
    try:
        outputs = infer_schema(_answer(model, rows))
    except Exception as error:
        recorder.skipped("output of the signature", f"{type(error).__name__}: {error}")
        return ModelSignature(inputs, None)
    return ModelSignature(inputs, outputs)


def _any_row(model: Any) -> Any:
    """Returns a row of as many numbers as the model has features."""
    import numpy as np

    return np.zeros((1, getattr(model, "booster_", model).num_feature()))


def _answer(model: Any, rows: Any) -> Any:
    """Returns values of the kind that the model predicts, one for each row or more."""
    import numpy as np

    if _is_own_prediction(model):
        return _asked(model, rows)
    booster = getattr(model, "booster_", model)
    classes = getattr(model, "classes_", None)
    if classes is not None and not callable(model.objective_):
        return classes[:1]
    width = booster.num_model_per_iteration()
    return np.zeros((1,) if width == 1 else (1, width))


def _is_own_prediction(model: Any) -> bool:
    for base in type(model).__mro__:
        if "predict" in vars(base):
            return base.__module__.partition(".")[0] != "lightgbm"
    return False


def _asked(model: Any, rows: Any) -> Any:
    before = dict(vars(model))
    try:
        return model.predict(rows)
    finally:
        vars(model).clear()
        vars(model).update(before)
