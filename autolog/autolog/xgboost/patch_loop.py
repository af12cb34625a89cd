"""What is recorded of boosters that the program trains round by round, with `Booster.update`."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from autolog.instrument import ongoing
from autolog.instrument.checkpoints import chosen_policy
from autolog.xgboost import extract, matrices
from autolog.xgboost.callers import calling_module, is_worker
from autolog.xgboost.patch_data import EVAL, TRAIN, is_matrix
from autolog.xgboost.patch_model import Keeper, log_importances

if TYPE_CHECKING:
    from autolog.instrument.call import Call
    from autolog.instrument.guard import Switch
    from autolog.instrument.recorder import Recorder
    from autolog.xgboost.spec import XgboostOptions
    from autolog_core.entities import Dataset

# What boosters were told to do.
_params: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


class Loop:
    """The rounds of one booster, by the numbers that the program gives them; called at the end.

    Args:
        options: The integration's.
    """

    def __init__(self, options: XgboostOptions) -> None:
        self.step = 0
        self._options = options
        self._keeper: Keeper | None = None
        self._matrices: list[tuple[weakref.ref[Any], Dataset]] = []
        self._values: dict[str, float] = {}
        self._is_saved = False

    def begin(self, booster: Any, train: Any, recorder: Recorder) -> None:
        """Records params and data.

        Args:
            booster: What is trained.
            train: What it is trained on; it is not held.
            recorder: Of the training.
        """
        with recorder.part("params"):
            recorder.params(_params.get(booster, {}))
        with recorder.part("dataset"):
            if not self._options.log_datasets:
                recorder.skipped("dataset", "log_datasets is False")
            else:
                self._log_matrix(train, matrices.NAME, TRAIN, recorder)
        rows = None
        with recorder.part("first rows"):
            rows = matrices.rows_of(train)
        self._keeper = Keeper(recorder, self._options, rows)

    def updated(self, booster: Any, step: int, recorder: Recorder) -> None:
        """Takes note of a round.

        Args:
            booster: After the round.
            step: Its number.
            recorder: Of the training.
        """
        self.step, self._values, self._is_saved = step, {}, False
        policy = chosen_policy() if recorder.wants_checkpoints() else None
        if policy is not None and not policy.needs_score:
            self._offer(booster)

    def scored(
        self,
        booster: Any,
        pairs: list[tuple[Any, str]],
        text: str,
        step: int | None,
        recorder: Recorder,
    ) -> None:
        """Logs scores that the program has asked for.

        Args:
            booster: What was scored.
            pairs: On which matrices, and their names.
            text: The scores in XGBoost's words.
            step: Of the round; None for the last one.
            recorder: Of the training.
        """
        step = self.step if step is None else step
        left = extract.parse_scores(text)
        for matrix, name in pairs:
            head = extract.metric_key(name, "")
            own = {key: value for key, value in left.items() if key.startswith(head)}
            left = {key: value for key, value in left.items() if key not in own}
            recorder.metrics(own, step, dataset=self._reference(matrix, name, recorder))
            self._values |= own
        policy = chosen_policy() if recorder.wants_checkpoints() else None
        if policy is None or step != self.step or self._is_saved:
            return
        # Where the policy decides by a score, a checkpoint waits until that is asked for.
        if policy.needs_score and policy.monitor in self._values:
            self._offer(booster)

    def __call__(self, booster: Any, recorder: Recorder) -> None:
        """Keeps importances and the booster."""
        with recorder.part("feature importances"):
            log_importances(recorder, self._options, booster)
        if self._keeper is not None:
            self._keeper.keep(booster, self.step)

    def _offer(self, booster: Any) -> None:
        if self._keeper is not None:
            self._keeper.offer(booster, self.step, self._values)
            self._is_saved = True

    def _reference(self, matrix: Any, name: str, recorder: Recorder) -> Dataset | None:
        if not (self._options.log_datasets and is_matrix(matrix)):
            return None
        known = next((made for each, made in self._matrices if each() is matrix), None)
        return self._log_matrix(matrix, name, EVAL, recorder) if known is None else known

    def _log_matrix(self, matrix: Any, name: str, context: str, recorder: Recorder) -> Dataset:
        made = matrices.reference(matrix, name)
        recorder.dataset(made, context, matrix)
        self._matrices = [each for each in self._matrices if each[0]() is not None]
        self._matrices.append((weakref.ref(matrix), made))
        return made


def follow_making(call: Call, result: Any) -> None:
    """Remembers the params that a booster was made with."""
    params = _argument(call, 0, "params")
    if params and not calling_module().startswith("xgboost."):
        _params[call.instance] = extract.booster_params(params)


def follow_setting(call: Call, result: Any) -> None:
    """Remembers the params that a booster was given."""
    params, value = _argument(call, 0, "params"), _argument(call, 1, "value")
    told = {params: value} if isinstance(params, str) else params
    _params.setdefault(call.instance, {}).update(extract.booster_params(told))


def follow_update(switch: Switch, call: Call) -> None:
    """Records one round; for both `Booster.update` and `Booster.boost`."""
    booster = call.instance
    step = int(_argument(call, 1, "iteration"))
    training = ongoing.find(booster)
    if training is None:
        if is_worker():
            return
        options: Any = switch.options
        loop = Loop(options)
        name = type(booster).__name__
        training = ongoing.begin(switch, f"{name}.update", name, booster, loop)
        if training is None:
            return
        loop.begin(booster, _argument(call, 0, "dtrain"), training.recorder)
    if isinstance(training.finish, Loop):
        training.steps = step + 1
        with training.recorder.part("rounds"):
            training.finish.updated(booster, step, training.recorder)


def follow_scores(call: Call, result: Any) -> None:
    """Logs the scores of a booster that is trained in a loop; for `eval` and `eval_set`."""
    booster = call.instance
    training = ongoing.find(booster)
    if training is None or not isinstance(training.finish, Loop):
        return
    asked: Any = _argument(call, 0, "evals")
    step = _argument(call, 1, "iteration")
    if asked is None or is_matrix(asked):
        asked = [(_argument(call, 0, "data"), _argument(call, 1, "name") or "eval")]
        step = _argument(call, 2, "iteration")
    number = None if step is None else int(step)
    with training.recorder.part("scores"):
        training.finish.scored(booster, asked, result, number, training.recorder)


def _argument(call: Call, place: int, name: str) -> Any:
    return call.args[place] if place < len(call.args) else call.kwargs.get(name)
