"""What XGBoost was told, and what it says, as plain values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import chain
from typing import Any

from autolog.instrument.call import Call
from autolog.instrument.charts import Chart
from autolog.xgboost.estimator import param_names

Evals = Mapping[str, Mapping[str, list[Any]]]
"""Values of all rounds, by evaluation set and metric; of `cv` pairs of mean and deviation."""

# Not params: data and results, and what MLflow leaves out of them.
_NO_PARAMS = frozenset(
    ("params", "dtrain", "evals", "evals_result", "xgb_model", "callbacks", "client", "coll_cfg")
)
# Kept where they are given: in MLflow they are never params.
_FUNCTIONS = frozenset(("obj", "feval", "fpreproc", "folds"))
_OBJECTS = frozenset(("callbacks", "coll_cfg", "feature_weights"))


@cache
def parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Returns the parameters of a function of a module, which is held, in their order."""
    return inspect.signature(function).parameters


def arguments(call: Call, function: Callable[..., Any]) -> dict[str, Any]:
    """Returns the arguments of a call by name.

    XGBoost takes by position what its signature has by keyword only, with a warning.

    Args:
        call: The call.
        function: What is called.
    """
    found = call.arguments()
    if found or not (call.args or call.kwargs):
        return found
    names = inspect.signature(function).parameters
    return {**dict(zip(names, call.args, strict=False)), **call.kwargs}


def with_callback(call: Call, function: Callable[..., Any], callback: Any) -> Call:
    """Returns a call with one more callback, before those of the user; their list is not touched.

    A callback that stops the training keeps those after it from being called, so ours goes first.

    Args:
        call: Of a function that takes ``callbacks``.
        function: The function.
        callback: Of XGBoost's kind.
    """
    place = list(parameters(function)).index("callbacks")
    args, kwargs = call.args, dict(call.kwargs)
    if place < len(args):
        args = (*args[:place], _first(callback, args[place]), *args[place + 1 :])
    else:
        kwargs["callbacks"] = _first(callback, kwargs.get("callbacks"))
    return Call(function, call.instance, args, kwargs)


def _first(callback: Any, others: Any) -> Iterable[Any]:
    # What is no iterable raises the same error in XGBoost as without us.
    return [callback] if others is None else chain((callback,), others)


def train_params(function: Callable[..., Any], passed: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the params of a training, as MLflow names them.

    Those of the booster stand for themselves; beside them are the other arguments, with their
    defaults.

    Args:
        function: ``train`` or ``cv``.
        passed: Its arguments by name.
    """
    found = booster_params(passed.get("params"))
    for name, parameter in parameters(function).items():
        if name in _NO_PARAMS:
            continue
        value = passed.get(name, parameter.default)
        if name == "folds" and isinstance(value, (list, tuple)):
            value = f"{len(value)} given splits"
        if name not in _FUNCTIONS or value is not None:
            found[name] = param_value(value)
    if found.get("early_stopping_rounds") is None:
        rounds = early_stopping_rounds(passed.get("callbacks"))
        if rounds is not None:
            found["early_stopping_rounds"] = rounds
    return found


def booster_params(params: Any) -> dict[str, Any]:
    """Returns the params of a booster, told as a mapping or as pairs; anything else has none."""
    if isinstance(params, Mapping):
        return {str(name): param_value(value) for name, value in params.items()}
    found: dict[str, Any] = {}
    pairs = params if isinstance(params, (list, tuple)) else ()
    for pair in pairs:
        if isinstance(pair, (list, tuple)) and len(pair) == 2:
            name, value = str(pair[0]), param_value(pair[1])
            several = name == "eval_metric" and name in found
            found[name] = [*_listed(found[name]), value] if several else value
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def param_value(value: Any) -> Any:
    """Returns the value of a param; of a function or an object the name, which stays the same."""
    if isinstance(value, (list, tuple)) and any(map(callable, value)):
        return [param_value(each) for each in value]
    if callable(value):
        name = getattr(value, "__qualname__", None) or type(value).__qualname__
        return f"{getattr(value, '__module__', None) or type(value).__module__}.{name}"
    if isinstance(value, (type(None), bool, int, float, str, list, tuple, dict)):
        return value
    if " at 0x" in (text := str(value)):
        return f"{type(value).__module__}.{type(value).__qualname__}"
    return text


def estimator_params(estimator: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the params of an estimator besides `known` ones, read one by one.

    Its own ``get_params()`` draws from a random generator where that is one of them.
    """
    own = {name: getattr(estimator, name, None) for name in param_names(type(estimator))}
    others = getattr(estimator, "kwargs", None)
    own |= others if isinstance(others, dict) else {}
    return {
        name: param_value(value)
        for name, value in own.items()
        if name not in known and name not in _OBJECTS
    }


def spark_params(estimator: Any) -> dict[str, Any]:
    """Returns the params of an estimator of `xgboost.spark` that have a value."""
    found = {param.name: value for param, value in estimator.extractParamMap().items()}
    others = found.pop("arbitrary_params_dict", None) or {}
    return {
        name: param_value(value)
        for name, value in {**found, **others}.items()
        if value is not None and name not in _OBJECTS
    }


def spark_evals(summary: Any) -> Evals:
    """Returns the values of all rounds that the summary of a model of `xgboost.spark` holds."""
    found = {
        "training": getattr(summary, "train_objective_history", None) or {},
        "validation": getattr(summary, "validation_objective_history", None) or {},
    }
    return {name: metrics for name, metrics in found.items() if metrics}


def early_stopping_rounds(callbacks: Any) -> int | None:
    """Returns the patience of an early stopping among callbacks; None if there is none."""
    if not isinstance(callbacks, (list, tuple)):
        return None
    found = (
        each.rounds
        for each in callbacks
        if any(base.__name__ == "EarlyStopping" for base in type(each).__mro__)
        and hasattr(each, "rounds")
    )
    return next(found, None)


def metric_key(dataset: str, metric: str) -> str:
    """Returns the name of a metric on an evaluation set, with MLflow's spelling of ``ndcg@3``."""
    return f"{dataset}-{metric}".replace("@", "_at_")


def values_at(evals: Evals, place: int) -> dict[str, dict[str, float]]:
    """Returns the values of one round, by evaluation set and name of the metric.

    Args:
        evals: Values of all rounds.
        place: Of the round among them.
    """
    found: dict[str, dict[str, float]] = {}
    for dataset, metrics in evals.items():
        values = found[dataset] = {}
        for metric, series in metrics.items():
            key, value = metric_key(dataset, metric), series[place]
            if isinstance(value, tuple):
                values[f"{key}-mean"], values[f"{key}-std"] = map(float, value)
            else:
                values[key] = value
    return found


def parse_scores(text: str) -> dict[str, float]:
    """Returns the values that a line of scores tells, by name.

    Args:
        text: Such as ``"[7]\\ttrain-rmse:0.31\\ttest-rmse:0.42"``.
    """
    found = {}
    for score in text.split()[1:]:
        name, _, value = score.rpartition(":")
        found[name.replace("@", "_at_")] = float(value)
    return found


def best_round(booster: Any, start: int) -> int | None:
    """Returns the best round that an early stopping found in this training; None without one.

    Args:
        booster: Trained.
        start: Rounds that it had before. What it says of those is of an earlier training.
    """
    found = booster.attr("best_iteration")
    return int(found) if found is not None and int(found) >= start else None


def rounds_of(model: Any) -> int:
    """Returns the rounds of the model that a training goes on with.

    Args:
        model: A booster or an estimator; 0 for None, and for a file.
    """
    if hasattr(model, "get_booster"):
        model = model.get_booster()
    return int(model.num_boosted_rounds()) if hasattr(model, "num_boosted_rounds") else 0


def importance_chart(kind: str, scores: Mapping[str, Any]) -> Chart:
    """Returns the picture of the importances of features.

    Args:
        kind: In XGBoost's words, such as "gain".
        scores: By feature; of a linear model of classes, one for each class.
    """
    lengths = [
        sum(map(abs, score)) if isinstance(score, list) else score for score in scores.values()
    ]
    return Chart(
        "bars",
        f"Feature importance ({kind})",
        x_label=kind,
        names=list(scores),
        values=[lengths],
    )
