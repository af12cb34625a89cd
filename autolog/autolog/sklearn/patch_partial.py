"""``partial_fit``: a training in many calls, which is one run.

The first call opens the run, each call is a step of it, counted from 0, and `autolog.instrument.
ongoing` says when it is over. What is done at each step has to be cheap: calls take a millisecond.
"""

from __future__ import annotations

from contextlib import suppress as ignored
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

from autolog.instrument import faults, ongoing
from autolog.instrument.call import Call
from autolog.instrument.scope import in_worker, suppress
from autolog.instrument.wrapper import plain
from autolog.sklearn import extract_partial
from autolog_core.errors import InvalidArgument

if TYPE_CHECKING:
    from autolog.instrument.ongoing import Ongoing
    from autolog.instrument.patcher import PatchSet
    from autolog.instrument.recorder import Recorder
    from autolog.sklearn.spec import SklearnOptions

NAME = "partial_fit"
SHARE = 0.01
MOST = 0.1
CREDIT = 0.005
"""Scores may take `SHARE` of the time in ``partial_fit`` and `CREDIT` seconds, and never more than
the share `MOST` of it."""
PAUSE = 0.25
"""Seconds after which the number of samples is logged alone; otherwise it goes with the others."""


def watch_partial(patches: PatchSet, owner: type) -> None:
    """Watches the ``partial_fit`` that `owner` itself defines, if it does."""
    raw = owner.__dict__.get(NAME)
    if raw is not None and (callable(raw) or hasattr(raw, "__get__")):
        with ignored(InvalidArgument):
            # An asynchronous one returns before it has run.
            patches.surround(owner, NAME, PartialSite(patches))


@dataclass(slots=True)
class Progress:
    """How far a training is.

    Attributes:
        steps: Calls that have returned.
        samples: Rows so far; None if a batch could not tell.
        seconds: Spent in ``partial_fit``.
        scoring: Seconds spent on scores.
        cost: Seconds that the last score took.
        scored: How many steps have a score.
        scores: Whether there are to be more.
        raised: How many calls have raised an error.
    """

    steps: int = 0
    samples: int | None = 0
    seconds: float = 0.0
    scoring: float = 0.0
    cost: float = 0.0
    scored: int = 0
    scores: bool = True
    raised: int = 0


class PartialSite:
    """A place whose calls go on with a training; the callable that its wrapper calls."""

    __slots__ = ("patches",)

    def __init__(self, patches: PatchSet) -> None:
        self.patches = patches

    def __call__(
        self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Makes the user's call, as a step of a training if the patches are live."""
        __tracebackhide__ = True
        if not self.patches.live or in_worker():
            return wrapped(*args, **kwargs)
        with suppress():
            call = Call(plain(wrapped, instance), instance, args, kwargs)
            training = self._enter(call)
            began = perf_counter()
            try:
                result = wrapped(*args, **kwargs)
            except BaseException as error:
                if training is not None:
                    self._raised(training, error)
                raise
            if training is not None:
                self._returned(training, call, perf_counter() - began)
            return result

    def _enter(self, call: Call) -> Ongoing | None:
        try:
            training = self._find(call)
            return training if training is not None and training.enter() else None
        except Exception as error:
            self._fault(call, "the start", error)
            return None

    def _find(self, call: Call) -> Ongoing | None:
        found = ongoing.find(call.instance)
        if found is not None:
            return found
        from autolog.sklearn import extract

        if not extract.is_loggable(call.instance):
            return None
        title = type(call.instance).__name__
        switch: Any = self.patches.switch
        trainer = Trainer(switch.options)
        begun = ongoing.begin(switch, f"{title}.{NAME}", title, call.instance, trainer)
        if begun is not None:
            trainer.begin(call, begun)
        return begun

    def _returned(self, training: Ongoing, call: Call, seconds: float) -> None:
        try:
            trainer = training.finish
            if isinstance(trainer, Trainer):
                trainer.step(call, training, seconds)
        except Exception as error:
            training.recorder.fault(self._fault(call, "a step", error))
        finally:
            training.leave()

    def _raised(self, training: Ongoing, error: BaseException) -> None:
        if not training.steps:
            ongoing.discard(training, error)
            return
        if isinstance(training.finish, Trainer):
            training.finish.raised()
        training.leave()

    def _fault(self, call: Call, phase: str, error: Exception) -> faults.Fault:
        switch = self.patches.switch
        site = f"{type(call.instance).__name__}.{NAME}"
        return faults.record(switch.spec.name, site, phase, error, silent=switch.options.silent)


class Trainer:
    """Records one training; called when it is over."""

    def __init__(self, options: SklearnOptions) -> None:
        self._options = options
        self._rows: Any = None
        self._told = 0.0
        self._counted = 0
        self._live: set[str] = set()
        self._progress = Progress()

    def begin(self, call: Call, training: Ongoing) -> None:
        """Records what is known before the first call."""
        from autolog.sklearn import extract

        recorder, estimator = training.recorder, call.instance
        if training.state is None:
            training.state = Progress()
        self._progress = training.state
        with recorder.part("tags"):
            recorder.tags(extract.estimator_tags(estimator))
        with recorder.part("params"):
            recorder.params(extract.estimator_params(estimator))
            if call.get("classes") is not None:
                recorder.params({"classes": extract_partial.plain_labels(call.get("classes"))})
        with recorder.part("dataset"):
            self._data(call, recorder)
        recorder.pause()

    def _data(self, call: Call, recorder: Recorder) -> None:
        from autolog.sklearn import extract

        features = _batch(call)
        self._rows = extract_partial.kept_rows(features)
        if not self._options.log_datasets:
            recorder.skipped("dataset", "log_datasets is False")
            return
        found = extract.dataset_of(features, call.get("y"))
        if found is None:
            recorder.skipped("dataset", "no reference can be made to the first batch")
        else:
            recorder.dataset(found, "train", features)

    def step(self, call: Call, training: Ongoing, seconds: float) -> None:
        """Records one call that has returned."""
        progress = self._progress
        step = progress.steps
        training.steps = progress.steps = step + 1
        progress.seconds += seconds
        rows = extract_partial.count_rows(_batch(call))
        if rows is None:
            progress.samples = None
        elif progress.samples is not None:
            progress.samples += rows
        values = extract_partial.present_numbers(call.instance)
        if self._may_score(call, rows):
            values |= self._score(call, training.recorder)
        moment = perf_counter()
        if values or moment - self._told > PAUSE:
            self._told = moment
            self._live.update(values)
            training.recorder.metrics(values | self._samples(), step=step)

    def _samples(self) -> dict[str, float]:
        if self._progress.samples is None:
            return {}
        self._counted = self._progress.steps
        return {extract_partial.SAMPLES: float(self._progress.samples)}

    def raised(self) -> None:
        """Takes note of a call that has raised an error; the program may go on all the same."""
        self._progress.raised += 1

    def _may_score(self, call: Call, rows: int | None) -> bool:
        progress = self._progress
        spent = progress.seconds
        return (
            progress.scores
            and progress.scoring + progress.cost <= min(MOST * spent, SHARE * spent + CREDIT)
            and (len(call.args) > 1 or "y" in call.kwargs)
            and extract_partial.can_score(call.instance, rows)
        )

    def _score(self, call: Call, recorder: Recorder) -> dict[str, float]:
        from autolog.sklearn.extract_metrics import reason

        progress = self._progress
        began = perf_counter()
        passed = call.arguments()
        if passed.get("y") is None:
            progress.scores = False
            return {}
        try:
            return {extract_partial.SCORE: extract_partial.batch_score(call.instance, passed)}
        except Exception as error:
            # The estimator's own; it is not asked again.
            progress.scores = False
            recorder.skipped(extract_partial.SCORE, reason(error))
            return {}
        finally:
            progress.cost = perf_counter() - began
            progress.scoring += progress.cost
            progress.scored += 1

    def __call__(self, estimator: Any, recorder: Recorder) -> None:
        """Records what is known at the end, and the model."""
        from autolog.sklearn import extract, patch_model
        from autolog.sklearn.extract_curves import record_curves

        progress = self._progress
        step = progress.steps - 1
        if step < 0:
            recorder.skipped("model", f"no call of {NAME} has returned")
            return
        with recorder.part("curves"):
            last = {} if self._counted == progress.steps else self._samples()
            recorder.metrics({"training_seconds": progress.seconds, **last}, step=step)
            # Of the last call alone.
            record_curves(estimator, recorder, without={*self._live, "n_iter"}, step=step)
        with recorder.part("estimator diagram"):
            recorder.artifact("estimator.html", extract.estimator_diagram(estimator))
        if progress.raised:
            why = f"{progress.raised} calls of {NAME} raised an error"
            recorder.skipped("steps of failed calls", why)
        if extract_partial.SCORE in self._live and progress.scored <= step:
            recorder.skipped(
                f"{extract_partial.SCORE} of {step + 1 - progress.scored} steps of {step + 1}",
                f"scores may take {SHARE:.0%} of the time in {NAME}",
            )
        with recorder.part("model"):
            patch_model.log_estimator(estimator, recorder, self._options, self._rows, step=step)


def _batch(call: Call) -> Any:
    return (
        call.args[0] if call.args else call.kwargs.get("X", next(iter(call.kwargs.values()), None))
    )
