"""What is kept of a training's models: checkpoints, the last one, importances, the best round."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from autolog.xgboost import extract
from autolog.xgboost.estimator import library
from autolog_core.errors import InvalidArgument

if TYPE_CHECKING:
    from autolog.instrument.recorder import Recorder
    from autolog.xgboost.callback import Rounds
    from autolog.xgboost.spec import XgboostOptions
    from autolog_core.models.signature import ModelSignature
    from autolog_core.models.snapshot import Snapshot

_NO_ROWS = (
    "the first rows of the training data are not known: they are where these are in memory, and "
    "their DMatrix was made while autologging was on"
)


class Keeper:
    """Keeps the models of one training, all with the same signature.

    Args:
        recorder: Of the training.
        options: The integration's.
        rows: The first rows of the training data, as a model takes them; None if they are not
            known.
        dress: Makes the model to keep from a booster: an estimator, for the fit of one.
    """

    def __init__(
        self,
        recorder: Recorder,
        options: XgboostOptions,
        rows: Any,
        dress: Callable[[Any], Any] = lambda booster: booster,
    ) -> None:
        self._recorder = recorder
        self._options = options
        self._rows = rows
        self._dress = dress
        self._signature: ModelSignature | None = None
        self._is_asked = False

    def offer(self, booster: Any, step: int, values: Mapping[str, float]) -> bool:
        """Logs a checkpoint, if the user's policy says that one is due.

        Args:
            booster: As it is after that step.
            step: Of the training.
            values: Metrics of that step.

        Returns:
            Whether one was due.
        """
        made = self._recorder.checkpoint(
            lambda manifest: self._snapshot(self._dress(_without_best(booster)), manifest),
            step=step,
            metrics=values,
        )
        return made is not None

    def close(self, rounds: Rounds, booster: Any, model: Any) -> None:
        """Logs what there is at the end: the best round, importances, the model.

        Args:
            rounds: All rounds of the training.
            booster: Trained.
            model: The booster, or the estimator that it is in.
        """
        step = 0
        with self._recorder.part("best round"):
            best = extract.best_round(booster, rounds.start)
            step = log_best(self._recorder, rounds, best)
        with self._recorder.part("feature importances"):
            log_importances(self._recorder, self._options, booster)
        with self._recorder.part("model"):
            self.keep(model, step)

    def keep(self, model: Any, step: int) -> None:
        """Logs the model that a training made, if models are kept.

        Args:
            model: A booster or a fitted estimator.
            step: Step of the run whose metrics are the model's too.
        """
        recorder = self._recorder
        if self._options.log_models:
            try:
                recorder.model(
                    lambda manifest: self._snapshot(model, manifest), step=step, subject=model
                )
                return
            except InvalidArgument as error:
                # A booster without a round, say, is no fault of ours.
                recorder.skipped("model", str(error))
        else:
            recorder.skipped("model", "log_models is False")
        recorder.trained(model)

    def _snapshot(self, model: Any, manifest: Any) -> Snapshot:
        from autolog.xgboost import flavor

        return flavor.snapshot(
            model,
            model_format=self._options.model_format,
            mlflow_model=manifest,
            signature=self._signature_of(model) or False,
            input_example=self._rows if self._options.log_input_examples else None,
        )

    def _signature_of(self, model: Any) -> ModelSignature | None:
        if not self._is_asked:
            self._is_asked = True
            if self._options.log_model_signatures:
                self._signature = _signature(model, self._recorder, self._rows)
            if self._options.log_input_examples and self._rows is None:
                self._recorder.skipped("input example", _NO_ROWS)
        return self._signature


def _without_best(booster: Any) -> Any:
    """Returns the booster, without the round that was best so far: estimators predict with that."""
    if booster.attr("best_iteration") is None:
        return booster
    plain = booster.copy()
    plain.set_attr(best_iteration=None, best_score=None)
    return plain


def _signature(model: Any, recorder: Recorder, rows: Any) -> ModelSignature | None:
    from autolog.xgboost.wrapper import XgboostWrapper
    from autolog_core.models.infer import infer_schema
    from autolog_core.models.signature import ModelSignature

    if rows is None:
        recorder.skipped("signature", _NO_ROWS)
        return None
    try:
        inputs = infer_schema(rows)
    except InvalidArgument as error:
        recorder.skipped("signature", str(error))
        return None
    try:
        with _in_one_thread():
            outputs = infer_schema(XgboostWrapper(model).predict(rows))
    except Exception as error:
        # A class of the user's may predict in ways of its own.
        recorder.skipped("output of the signature", f"{type(error).__name__}: {error}")
        outputs = None
    return ModelSignature(inputs, outputs)


def _in_one_thread() -> AbstractContextManager[None]:
    # To start more takes longer than to predict a few rows.
    xgboost = library()
    known = "nthread" in xgboost.get_config()
    return xgboost.config_context(nthread=1) if known else nullcontext()


def log_best(recorder: Recorder, rounds: Rounds, best: int | None) -> int:
    """Logs what an early stopping found.

    Args:
        recorder: Of the training.
        rounds: All its rounds.
        best: The best one; None without an early stopping.

    Returns:
        The step that the training's model is of: the best, else the last.
    """
    last = rounds.start if rounds.last is None else rounds.last
    if best is None:
        return last
    recorder.metrics({"best_iteration": best, "stopped_iteration": last})
    rounds.log(best, "best_")
    return best


def log_importances(recorder: Recorder, options: XgboostOptions, booster: Any) -> None:
    """Keeps the importances of the features as data, and as a picture where pictures are drawn.

    Args:
        recorder: Of the training.
        options: Say which importances.
        booster: Trained.
    """
    kinds = ("weight",) if options.importance_types is None else options.importance_types
    for kind in kinds:
        path = f"feature_importance_{kind}"
        try:
            scores = booster.get_score(importance_type=kind)
        except ValueError as error:
            # A linear model has "weight" only.
            recorder.skipped(path, str(error).partition("\n")[0])
            continue
        recorder.chart(path, extract.importance_chart(kind, scores), scores)
