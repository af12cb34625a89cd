"""What CatBoost is told, as params of runs. Pure functions."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from typing import Any

# The first name is CatBoost's own; the last item is what holds where nobody says anything.
_SYNONYMS: dict[str, tuple[tuple[str, ...], Any]] = {
    "iterations": (("iterations", "n_estimators", "num_boost_round", "num_trees"), 1000),
    "depth": (("depth", "max_depth"), 6),
    "custom_metric": (("custom_metric", "custom_loss"), None),
    "metric_period": (("metric_period",), 1),
    "loss_function": (("loss_function", "objective"), None),
    "learning_rate": (("learning_rate", "eta"), None),
    "l2_leaf_reg": (("l2_leaf_reg", "reg_lambda"), None),
    "random_seed": (("random_seed", "random_state"), None),
}
# What a fit is told besides its data; it wins over what the model was made with.
_FIT_PARAMS = frozenset((
    "cat_features", "text_features", "embedding_features", "use_best_model", "verbose",
    "logging_level", "verbose_eval", "metric_period", "silent", "early_stopping_rounds",
    "save_snapshot", "snapshot_file", "snapshot_interval", "column_description",
))  # fmt: skip
# What CatBoost chooses by the data where nobody says anything: worth a column of its own.
_CHOSEN = ("loss_function", "iterations", "learning_rate", "depth", "l2_leaf_reg", "random_seed")
_CV_DATA = frozenset(("pool", "dtrain", "params", "folds", "log_cout", "log_cerr", "plot_file"))
_SEARCH_DATA = frozenset(("X", "y", "cv", "log_cout", "log_cerr", "plot", "plot_file"))
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def text_of(value: object) -> str:
    """Returns a param as text, without memory addresses: equal params stay equal."""
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType, type)):
        return f"{value.__module__}.{value.__qualname__}"
    try:
        text = str(value)
    except Exception as error:
        # The text of one odd value must not cost the run its other params.
        return f"<{type(value).__qualname__} without text: {type(error).__name__}>"
    return _ADDRESS.sub("", text)


def model_tags(model: object) -> dict[str, str]:
    """Returns the tags `estimator_name` and `estimator_class`."""
    cls = type(model)
    return {
        "estimator_name": cls.__name__,
        "estimator_class": f"{cls.__module__}.{cls.__name__}",
    }


def fit_params(params: Mapping[str, Any], passed: Mapping[str, Any]) -> dict[str, str]:
    """Returns the params of a model, and those that its fit was called with, as text.

    Args:
        params: Of the model.
        passed: Arguments of the fit, by name.
    """
    values = dict(params)
    values |= {
        name: value for name, value in passed.items() if name in _FIT_PARAMS and value is not None
    }
    start = passed.get("init_model")
    if start is not None:
        values["init_model"] = start if isinstance(start, str) else type(start).__name__
    return {str(name): text_of(value) for name, value in values.items()}


def chosen_params(resolved: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, str]:
    """Returns those params that CatBoost chose, of the ones that runs are compared by.

    Args:
        resolved: All params of the fitted model, as ``get_all_params`` gives them.
        known: Those that the user gave, under any of their names.
    """
    found = {}
    for name in _CHOSEN:
        names, _ = _SYNONYMS[name]
        if name in resolved and not any(each in known for each in names):
            found[name] = text_of(resolved[name])
    return found


def setting(name: str, *given: Mapping[str, Any]) -> Any:
    """Returns what holds for a param that has other names, or a default.

    Args:
        name: CatBoost's own name.
        given: Where it may be given, the winner first.
    """
    names, default = _SYNONYMS[name]
    for values in given:
        for each in names:
            if values.get(each) is not None:
                return values[each]
    return default


def on_gpu(params: Mapping[str, Any]) -> bool:
    """Whether the params ask for a GPU."""
    return str(params.get("task_type") or "CPU").upper() == "GPU"


def number_of_series(params: Mapping[str, Any], evaluated: int) -> int:
    """Returns how many values an iteration reports at most.

    Args:
        params: Of the model.
        evaluated: How many evaluation sets there are, besides the training data.
    """
    custom = setting("custom_metric", params)
    named = 1 if isinstance(custom, str) else len(custom or ())
    return (1 + evaluated) * (1 + (params.get("eval_metric") is not None) + named)


def asks_to_stop(passed: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    """Whether the overfitting detector will be on, by what a cross-validation is told.

    Args:
        passed: Arguments of the call, by name.
        params: Of the models.
    """
    told = [
        passed.get("early_stopping_rounds"),
        params.get("early_stopping_rounds"),
        params.get("od_wait"),
    ]
    doubt = params.get("od_pval")
    kind = params.get("od_type") or ("Iter" if any(told) and not doubt else None)
    return watches_overfitting({"od_type": kind, "od_wait": True, "od_pval": doubt})


def watches_overfitting(resolved: Mapping[str, Any]) -> bool:
    """Whether a training may stop early: the overfitting detector is on."""
    if resolved.get("od_type") == "Iter":
        return bool(resolved.get("od_wait"))
    return float(resolved.get("od_pval") or 0) > 0


def cv_params(passed: Mapping[str, Any]) -> dict[str, str]:
    """Returns the params of ``cv``: those of the models, and how the folds are made.

    Args:
        passed: Arguments of the call, by name.
    """
    values = dict(passed.get("params") or {})
    values |= {
        name: value for name, value in passed.items() if name not in _CV_DATA and value is not None
    }
    if passed.get("folds") is not None:
        values["folds"] = kind_of_folds(passed["folds"])
    return {str(name): text_of(value) for name, value in values.items()}


def search_params(method: str, passed: Mapping[str, Any]) -> dict[str, str]:
    """Returns how a search over params is made, as params that begin with ``search_``.

    The model has params of some of the same names.

    Args:
        method: ``grid_search`` or ``randomized_search``.
        passed: Arguments of the call, by name.
    """
    values = {name: value for name, value in passed.items() if name not in _SEARCH_DATA}
    if "cv" in passed:
        values["cv"] = kind_of_folds(passed["cv"])
    found = {f"search_{name}": text_of(value) for name, value in values.items()}
    return {"search_method": method, **found}


def selection_params(passed: Mapping[str, Any]) -> dict[str, str]:
    """Returns how features are selected, as params that begin with ``select_``."""
    left = _SEARCH_DATA | _FIT_PARAMS | {"eval_set"}
    return {
        f"select_{name}": text_of(value)
        for name, value in passed.items()
        if name not in left and value is not None
    }


def sampling_params(passed: Mapping[str, Any]) -> dict[str, str]:
    """Returns the params of samples of a Gaussian process."""
    return {
        name: text_of(value)
        for name, value in passed.items()
        if name not in ("X", "y", "eval_set") and value is not None
    }


def kind_of_folds(folds: Any) -> str:
    """Returns folds in words, without walking what can be walked once."""
    if folds is None or isinstance(folds, int) or hasattr(folds, "split"):
        return text_of(folds)
    if isinstance(folds, (list, tuple)):
        return f"{len(folds)} given splits"
    return f"splits of a {type(folds).__name__}"
