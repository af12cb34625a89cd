"""What LightGBM's params, results and boosters say, as plain values. Pure functions."""

from __future__ import annotations

import re
import types
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from autolog_core.data import kinds

# What is no param: data, functions, and the mapping of params itself.
_UNLOGGED = frozenset((
    "params", "train_set", "valid_sets", "valid_names", "fobj", "feval", "init_model", "callbacks",
    "folds", "fpreproc", "feature_name", "categorical_feature",
))  # fmt: skip
_ROUNDS = "num_boost_round"
# Names by which `params` may say how many rounds there are; they win over the argument.
_ROUND_NAMES = frozenset((
    "num_iterations", "num_iteration", "n_iter", "num_tree", "num_trees", "num_round", "num_rounds",
    "nrounds", _ROUNDS, "n_estimators", "max_iter",
))  # fmt: skip
# How folds are made where `cv` is not given any.
_SPLIT = frozenset(("nfold", "stratified", "shuffle", "seed"))
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_ILLEGAL = re.compile(r"[^/\w.\- :]")
_TRAINING = "training"


class Reading(NamedTuple):
    """One value that LightGBM reports.

    Attributes:
        dataset: Name of the dataset that it was computed on.
        key: Name of the metric of the run, such as ``valid_0-auc``.
        value: The value.
    """

    dataset: str
    key: str
    value: float


@lru_cache(maxsize=1024)
def key_of(dataset: str, metric: str) -> str:
    """Returns MLflow's name for a metric: ``ndcg@3`` on ``valid_0`` is ``valid_0-ndcg_at_3``."""
    return _ILLEGAL.sub("_", f"{dataset}-{metric}".replace("@", "_at_"))


def readings(entries: Iterable[Any]) -> list[Reading]:
    """Returns the results of one iteration; what is no number is left out.

    Args:
        entries: ``(dataset, metric, value, ...)`` of a training; of ``cv`` there is a fifth item,
            the standard deviation over the folds, and before LightGBM 4.7 ``"cv_agg"`` stands in
            place of the dataset, which begins the name of the metric.
    """
    found = []
    for entry in entries:
        dataset, metric = str(entry[0]), str(entry[1])
        values = {"": entry[2]}
        if len(entry) > 4:
            if dataset == "cv_agg":
                dataset, _, metric = metric.partition(" ")
            values = {"-mean": entry[2], "-stdv": entry[4]}
        for word, value in values.items():
            number = number_of(value)
            if number is not None:
                found.append(Reading(dataset, key_of(dataset, metric) + word, number))
    return found


def number_of(value: Any) -> float | None:
    """Returns what a metric of the user's reports as a number; None if it is none."""
    try:
        # Of an array that holds one number; LightGBM itself gives NumPy's numbers.
        plain = value.item() if hasattr(value, "item") else value
        return None if isinstance(plain, str) else float(plain)
    except (TypeError, ValueError, RuntimeError):
        return None


def plain_scores(scores: Any) -> dict[str, dict[str, float]]:
    """Returns LightGBM's ``best_score`` in plain numbers; what is none is left out."""
    numbers = {
        str(dataset): {str(name): number_of(value) for name, value in metrics.items()}
        for dataset, metrics in (scores or {}).items()
    }
    return {
        dataset: {name: value for name, value in metrics.items() if value is not None}
        for dataset, metrics in numbers.items()
    }


def best_readings(scores: Any) -> list[Reading]:
    """Returns what LightGBM keeps as ``best_score``: ``{dataset: {metric: value}}``."""
    return readings(
        (dataset, metric, value)
        for dataset, metrics in (scores or {}).items()
        for metric, value in metrics.items()
    )


def best_cv_readings(results: Mapping[str, Any], best: int) -> list[Reading]:
    """Returns the values at one iteration of what ``cv`` returns.

    Args:
        results: ``{"valid l2-mean": [...], "valid l2-stdv": [...]}``.
        best: The iteration, from 1.
    """
    found = []
    for name, values in results.items():
        if isinstance(values, list) and len(values) >= best:
            dataset, _, metric = name.partition(" ")
            found += readings([(dataset, metric, values[best - 1])])
    return found


def names_of(training: Sequence[bool], names: Any) -> list[tuple[str, bool]]:
    """Returns LightGBM's names of the data that a training evaluates, and which are its own.

    Args:
        training: For each, whether it is the training data.
        names: Those that the user gave; one for all, some of them, or None.
    """
    given = items_of(names)
    found = []
    for place, same in enumerate(training):
        default = _TRAINING if same else f"valid_{place}"
        found.append((str(given[place]) if place < len(given) else default, same))
    return found


def items_of(value: Any) -> list[Any]:
    """Returns what a collection of the user's holds, a single text as one item.

    What cannot be walked twice, or not at all, gives nothing: LightGBM is about to say so.
    """
    if isinstance(value, str):
        return [value]
    return list(value) if isinstance(value, Collection) else []


def evaluated(arguments: Mapping[str, Any]) -> list[tuple[Any, str, bool]]:
    """Returns the Datasets that ``train`` evaluates: each, its name, and if it is trained on."""
    valid_sets, train_set = arguments.get("valid_sets"), arguments.get("train_set")
    sets = [valid_sets] if is_dataset(valid_sets) else items_of(valid_sets)
    names = names_of([each is train_set for each in sets], arguments.get("valid_names"))
    return [(each, *name) for each, name in zip(sets, names, strict=True)]


def is_dataset(value: Any) -> bool:
    """Whether `value` is a Dataset of LightGBM."""
    return kinds.is_a(value, "lightgbm", "Dataset")


def training_params(arguments: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, str]:
    """Returns the params of ``train`` or ``cv`` as text, under MLflow's names.

    Args:
        arguments: What was passed, LightGBM's own params as ``params`` among it.
        defaults: Defaults of the function's parameters.
    """
    params = arguments.get("params")
    found = dict(params) if isinstance(params, Mapping) else {}
    left_out = set(_UNLOGGED)
    if _ROUND_NAMES & found.keys():
        left_out.add(_ROUNDS)
    if arguments.get("folds") is not None:
        left_out |= _SPLIT
        found["folds"] = arguments["folds"]
    for name, value in {**defaults, **arguments}.items():
        if name not in left_out:
            found.setdefault(name, value)
    for name, value in stopping_params(arguments.get("callbacks")).items():
        found.setdefault(name, value)
    return {str(name): text_of(value) for name, value in found.items()}


def estimator_params(estimator: Any) -> dict[str, str]:
    """Returns the params of an estimator as text.

    Raises:
        Exception: Whatever the ``get_params`` of a class of the user's raises.
    """
    # The connection to dask is no param.
    found = estimator.get_params()
    return {str(name): text_of(value) for name, value in found.items() if name != "client"}


def stopping_params(callbacks: Any) -> dict[str, Any]:
    """Returns what an early-stopping callback was told, under LightGBM's names of params."""
    for callback in items_of(callbacks):
        if type(callback).__name__ == "_EarlyStoppingCallback":
            return {
                "early_stopping_round": callback.stopping_rounds,
                "first_metric_only": callback.first_metric_only,
                "early_stopping_min_delta": callback.min_delta,
            }
    return {}


def text_of(value: Any) -> str:
    """Returns a value as text without memory addresses, which differ from run to run."""
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType, type)):
        return f"{value.__module__}.{value.__qualname__}"
    try:
        text = str(value)
    except Exception as error:
        # The text of one odd value must not cost the run its other params.
        return f"<{type(value).__qualname__} without text: {type(error).__name__}>"
    return _ADDRESS.sub("", text)


def eval_pairs(arguments: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Returns features and labels of the evaluation sets of an estimator's ``fit``, in order."""
    sets = arguments.get("eval_set")
    if isinstance(sets, tuple):
        sets = [sets]
    if sets is None:
        features, labels = arguments.get("eval_X"), arguments.get("eval_y")
        if features is None or labels is None:
            return []
        if not isinstance(features, tuple) or not isinstance(labels, tuple):
            features, labels = (features,), (labels,)
        sets = list(zip(features, labels, strict=False))
    # What is no pair is about to be refused by LightGBM.
    return [(each[0], each[1]) for each in sets if isinstance(each, (tuple, list)) and each[1:]]


def importances(booster: Any, kind: str) -> dict[str, float]:
    """Returns the importance of each feature: how often it splits, or what its splits gain.

    Args:
        booster: Up to its best iteration.
        kind: ``"split"`` or ``"gain"``.
    """
    values = booster.feature_importance(importance_type=kind).tolist()
    return dict(zip(booster.feature_name(), values, strict=True))
