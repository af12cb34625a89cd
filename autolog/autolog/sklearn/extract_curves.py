"""What a fitted estimator tells of its own training: a value per iteration, and final numbers.

Only the attributes that the estimator holds are read, never a property: those can cost as much as a
prediction. Estimators of scikit-learn are known by the tables below; those of users and of other
libraries by the same attributes, and by names that speak of a loss, a history or a curve.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from autolog.instrument.recorder import Recorder
    from autolog_core.entities import Dataset

Array = np.ndarray[Any, Any]

# Attribute of one value per iteration, and the metric that it becomes.
_SERIES = {
    "loss_curve_": "loss",
    "validation_scores_": "validation_score",
    "train_score_": "train_score",
    "validation_score_": "validation_score",
    "lower_bounds_": "lower_bound",
    "error_": "error",
    "loglike_": "loglike",
    "oob_improvement_": "oob_improvement",
    "estimator_errors_": "estimator_error",
    "estimator_weights_": "estimator_weight",
}
# The same, where an attribute of that name is something else elsewhere.
_SERIES_OF = {
    ("BaseGradientBoosting", "train_score_"): "training_loss",
    ("BaseGradientBoosting", "oob_scores_"): "oob_loss",
    ("BayesianRidge", "scores_"): "log_marginal_likelihood",
    ("ARDRegression", "scores_"): "objective",
}
# Of a final number; "n_iter_" becomes "n_iter", and so on.
_NUMBERS = (
    "n_iter_",
    "n_steps_",
    "n_estimators_",
    "n_trials_",
    "n_components_",
    "n_clusters_",
    "n_nonzero_coefs_",
    "converged_",
    "fit_status_",
    "loss_",
    "best_loss_",
    "best_score_",
    "best_threshold_",
    "best_validation_score_",
    "inertia_",
    "lower_bound_",
    "bound_",
    "stress_",
    "kl_divergence_",
    "reconstruction_err_",
    "reconstruction_error_",
    "log_marginal_likelihood_value_",
    "dual_gap_",
    "oob_score_",
    "offset_",
    "shrinkage_",
    "alpha_",
    "l1_ratio_",
)
# Values along a grid of params, and the grid.
_PATHS = (("mse_path_", "cv_alphas_"), ("mse_path_", "alphas_"), ("criterion_", "alphas_"))
_STRONG = re.compile(r"(^|_)(loss|losses|history|curve)(_|$)")
_HELD_OUT = re.compile(r"(^|_)(val|valid|validation|test)(_|$)")
_WEAK = re.compile(r"(^|_)(errors?|scores?|costs?|objectives?)(_|$)")
_DEEPEST = 10


@dataclass(frozen=True, slots=True)
class Curve:
    """One value per iteration.

    Attributes:
        values: (n,) floats; the i-th is of iteration i, counted from 0.
        held_out: Whether it was computed on other data than the training's.
    """

    values: Array
    held_out: bool = False


@dataclass(slots=True)
class Story:
    """All that an estimator tells of its training.

    Attributes:
        curves: By name.
        numbers: Final values by name, besides `stopping`.
        stopping: ``best_iteration`` and ``stopped_iteration`` of an early stopping.
        step: Iteration that the fitted estimator is of; 0 where there are none.
    """

    curves: dict[str, Curve] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    stopping: dict[str, float] = field(default_factory=dict)
    step: int = 0


def record_curves(
    estimator: Any,
    recorder: Recorder,
    dataset: Dataset | None = None,
    *,
    without: Collection[str] = (),
    step: int | None = None,
) -> int:
    """Logs what a fitted estimator tells of its training.

    Args:
        estimator: Fitted; of a pipeline the last step counts, of a search the best estimator.
        recorder: Of its training.
        dataset: What it was trained with, to which the curves are linked.
        without: Names that are left out, because their values were logged as they came.
        step: The step that it is of; absent, its own count tells.

    Returns:
        The step that the fitted estimator is of: what is logged at it is the model's.
    """
    story = read_story(estimator)
    for key, curve in story.curves.items():
        if key not in without:
            values: Any = curve.values
            recorder.curve(key, values, dataset=None if curve.held_out else dataset)
    numbers = {key: value for key, value in story.numbers.items() if key not in without}
    last = story.step if step is None else step
    if numbers:
        recorder.metrics(numbers, step=last)
    if story.stopping:
        recorder.metrics(story.stopping)
    return last


def read_story(estimator: Any) -> Story:
    """Returns what an estimator tells of its training; the estimator is not changed."""
    story = Story()
    for part in _parts(estimator):
        found = Story()
        held = vars(part)
        _read_series(part, held, found)
        _read_numbers(held, found)
        chosen = [_read_path(held, found), _read_evaluations(held, found)]
        if not type(part).__module__.startswith("sklearn."):
            _read_unknown(held, found)
        chosen.append(_read_stopping(held, found))
        if found.curves and not story.curves:
            known = [step for step in chosen if step is not None]
            story.step = known[0] if known else _last(found.curves)
        # Of two parts that know one name, the outer one is what was fitted.
        story.curves = found.curves | story.curves
        story.numbers = found.numbers | story.numbers
        story.stopping = found.stopping | story.stopping
    return story


def _parts(estimator: Any) -> Iterator[Any]:
    """Yields the estimator and those inside that were fitted in its place, outermost first."""
    from autolog.sklearn.extract import is_search

    for _ in range(_DEEPEST):
        held = getattr(estimator, "__dict__", None)
        if not isinstance(held, dict):
            return
        if is_search(estimator):
            estimator = held.get("best_estimator_")
            continue
        yield estimator
        steps = held.get("steps")
        if isinstance(steps, list) and steps and isinstance(steps[-1], tuple):
            estimator = steps[-1][1]
        elif "regressor_" in held:
            estimator = held["regressor_"]
        elif "estimators_" not in held:
            # Of an ensemble it is the unfitted template.
            estimator = held.get("estimator_", held.get("base_estimator_"))
        else:
            return


def _read_series(part: Any, held: Mapping[str, Any], found: Story) -> None:
    names = [cls.__name__ for cls in type(part).__mro__]
    for (name, attribute), key in _SERIES_OF.items():
        if name in names:
            _add(found, key, held.get(attribute))
    taken = {attribute for name, attribute in _SERIES_OF if name in names}
    for attribute, key in _SERIES.items():
        if attribute not in taken:
            values = held.get(attribute)
            if attribute.startswith("estimator_") and isinstance(values, np.ndarray):
                # Those that were not needed are filled up.
                values = values[: len(held.get("estimators_", ()))]
            _add(found, key, values)
    costs = _array(held.get("costs_"), 2)
    if costs is not None and costs.shape[1] == 2:
        _add(found, "objective", costs[:, 0])
        _add(found, "dual_gap", costs[:, 1])


def _read_path(held: Mapping[str, Any], found: Story) -> int | None:
    """Reads the values along a grid of params, and returns which of them was chosen."""
    for attribute, grid_attribute in _PATHS:
        grid, path = _array(held.get(grid_attribute), 1), held.get(attribute)
        values = _array(path, 1)
        if values is None:
            folds = _array(path, 2)
            values = None if folds is None else folds.mean(axis=1)
        if grid is None or values is None or len(values) != len(grid):
            continue
        _add(found, attribute.rstrip("_"), values, held_out=attribute == "mse_path_")
        _add(found, grid_attribute.rstrip("_"), grid)
        chosen = np.flatnonzero(grid == _number(held.get("alpha_")))
        return int(chosen[0]) if len(chosen) else None
    return None


def _read_evaluations(held: Mapping[str, Any], found: Story) -> int | None:
    """Reads what boosters and networks behind scikit-learn's interface keep of each iteration.

    Returns:
        The iteration that a booster predicts with, where it has stopped early.
    """
    history = held.get("history_")
    if isinstance(history, list) and history and all(isinstance(row, Mapping) for row in history):
        history = {name: [row.get(name) for row in history] for name in history[0]}
    if isinstance(history, Mapping):
        for metric, values in history.items():
            if isinstance(metric, str) and metric != "epoch":
                _add(found, metric, values)
    # XGBoost's, and LightGBM's, which counts from 1 and says 0 where nothing has stopped early.
    for attribute, first in (("evals_result_", 0), ("_evals_result", 1)):
        results = held.get(attribute)
        if not isinstance(results, Mapping):
            continue
        for data, metrics in results.items():
            for metric, values in metrics.items() if isinstance(metrics, Mapping) else ():
                _add(found, f"{data}-{metric}".replace("@", "_at_"), values, held_out=True)
        best = _number(getattr(held.get("_Booster"), "best_iteration", None))
        if best is not None and best >= first:
            _stopped(found, int(best) - first)
            return int(best) - first
    return None


def _read_numbers(held: Mapping[str, Any], found: Story) -> None:
    for attribute in _NUMBERS:
        key = attribute[:-1]
        value = held.get(attribute)
        if value is None or key in found.curves:
            continue
        number = _number(value)
        if number is None and attribute == "n_iter_":
            # One for each class, fold or component: the longest tells what it took.
            several = _array(np.ravel(value) if isinstance(value, np.ndarray) else value, 1)
            number = None if several is None or not several.size else float(several.max())
        if number is not None:
            found.numbers[key] = number
    if "oob_loss" in found.curves:
        # There it is the last of these losses, and no score.
        found.numbers.pop("oob_score", None)
    labels = held.get("labels_")
    if (
        isinstance(labels, np.ndarray)
        and labels.ndim == 1
        and labels.dtype.kind == "i"
        and labels.size
        and held.get("n_clusters") is None
    ):
        found.numbers.setdefault("n_clusters", float(labels.max() + 1))
        outside = int(np.count_nonzero(labels == -1))
        if outside:
            found.numbers["n_noise"] = float(outside)


def _read_unknown(held: Mapping[str, Any], found: Story) -> None:
    known = _SERIES.keys() | {attribute for _, attribute in _SERIES_OF} | set(_NUMBERS)
    for attribute, value in list(held.items()):
        key = attribute[:-1]
        if not attribute.endswith("_") or attribute.startswith("_") or attribute in known:
            continue
        if _STRONG.search(key):
            number = _number(value)
            if number is not None:
                found.numbers.setdefault(key, number)
            elif key not in found.curves:
                _add(found, key, value)
        elif isinstance(value, list) and key not in found.curves and _WEAK.search(key):
            # Arrays of that name may hold a value per row; a list has grown by iterations.
            _add(found, key, value)


def _read_stopping(held: Mapping[str, Any], found: Story) -> int | None:
    """Reads how scikit-learn's own stopped early; returns the iteration that was restored."""
    scores = found.curves.get("validation_score") or found.curves.get("train_score")
    if "validation_scores_" in held and scores is not None and held.get("early_stopping") is True:
        best = _highest(scores.values)
        _stopped(found, best)
        return best
    if held.get("do_early_stopping_") is True and scores is not None:
        _stopped(found, _highest(scores.values))
    elif held.get("n_iter_no_change") is not None and "training_loss" in found.curves:
        found.stopping["stopped_iteration"] = float(_last(found.curves))
    return None


def _stopped(found: Story, best: int) -> None:
    found.stopping = {
        "best_iteration": float(best),
        "stopped_iteration": float(_last(found.curves)),
    }
    for key, curve in found.curves.items():
        if best < len(curve.values):
            found.numbers[f"best_{key}"] = float(curve.values[best])


def _highest(values: Array) -> int:
    return 0 if np.isnan(values).all() else int(np.nanargmax(values))


def _last(curves: Mapping[str, Curve]) -> int:
    return max((len(curve.values) - 1 for curve in curves.values()), default=0)


def _add(found: Story, key: str, values: Any, held_out: bool = False) -> None:
    array = _array(values, 1)
    if array is not None and array.size:
        found.curves[key] = Curve(array, held_out or bool(_HELD_OUT.search(key)))


def _array(values: Any, dimensions: int) -> Array | None:
    """Returns numbers as floats, or None for anything else."""
    if isinstance(values, (list, tuple)):
        if not values or isinstance(values[0], bool):
            return None
        if not isinstance(values[0], (int, float, np.number, list, tuple)):
            return None
        try:
            values = np.asarray(values)
        except ValueError:
            # Rows of different lengths.
            return None
    if not isinstance(values, np.ndarray) or values.ndim != dimensions:
        return None
    return values.astype(np.float64) if values.dtype.kind in "fiu" else None


def _number(value: Any) -> float | None:
    """Returns a number, or the one number of an array, as a float; None for anything else."""
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "fiub":
        value = value.reshape(-1)[0]
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, (bool, int, float, np.number, np.bool_)):
        return None if isinstance(value, np.complexfloating) else float(value)
    return None
