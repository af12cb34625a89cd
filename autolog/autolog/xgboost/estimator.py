"""What an estimator of XGBoost is besides its booster: its params, and how its training went.

XGBoost's own files hold the booster alone. ``estimator.json`` holds the rest, and only values that
JSON knows, so reading it runs no code.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from autolog_core.errors import InvalidArgument, MissingExtra, NotSupported
from autolog_core.models.flavors import Content, damaged

FILE = "estimator.json"
BOOSTER = "xgboost.core.Booster"
_LIBRARY = "xgboost"


def library() -> Any:
    """Returns the module of XGBoost.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        import xgboost
    except ModuleNotFoundError as error:
        raise MissingExtra("xgboost is needed for this model: pip install xgboost") from error
    return xgboost


def class_name(xgb_model: Any) -> tuple[str, str]:
    """Returns the full name of the class to load a model as, and a note where that is another.

    A class that no module holds (of a script, or made inside a function) cannot be found again:
    the nearest class of a module stands for it.
    """
    own = type(xgb_model)
    for each in own.__mro__:
        name = f"{each.__module__}.{each.__qualname__}"
        if each.__module__ != "__main__" and "<locals>" not in name:
            note = f"{own.__qualname__} is in no module: it will be loaded as {name}"
            return name, "" if each is own else note
    raise AssertionError("every class derives from object")


def is_own(name: str) -> bool:
    """Returns whether XGBoost itself provides a class."""
    return name.partition(".")[0] == _LIBRARY


def find_class(name: Any) -> Any:
    """Returns the class of a model, which is imported for it: ask for trust if it is not XGBoost's.

    Raises:
        InvalidArgument: There is none of this name, or it is none of XGBoost's kinds.
        NotSupported: Its module cannot be imported.
    """
    xgboost = library()
    module, _, last = str(name).rpartition(".")
    try:
        found = getattr(import_module(module), last, None) if module else None
    except (ImportError, TypeError) as error:
        raise NotSupported(
            f"the model is of the class {name}, which cannot be imported: {error}; install it, or "
            "save the model with its module in code_paths"
        ) from error
    if not isinstance(found, type) or not issubclass(found, (xgboost.Booster, xgboost.XGBModel)):
        raise InvalidArgument(f"model_class of the model names no class of XGBoost: {name!r}")
    return found


def describe(estimator: Any) -> tuple[bytes, tuple[str, ...]]:
    """Returns the text of ``estimator.json``, and names of params that it cannot hold.

    Params are read one by one: `get_params` draws a number from a random generator that is one.
    """
    params: dict[str, Any] = {}
    lost = []
    given = {name: getattr(estimator, name, None) for name in param_names(type(estimator))}
    for name, value in {**given, **getattr(estimator, "kwargs", {})}.items():
        if value is None or (isinstance(value, float) and math.isnan(value)):
            continue
        plain = _plain(value)
        if plain is None:
            lost.append(name)
        else:
            params[name] = plain
    # Lists of JSON do for tuples, except where XGBoost takes a tuple and no list.
    tuples = [name for name in params if isinstance(getattr(estimator, name, None), tuple)]
    content: dict[str, Any] = {"params": params, "tuples": tuples}
    if (results := getattr(estimator, "evals_result_", None)) is not None:
        content["evals_result"] = _plain(results)
    return json.dumps(content).encode(), tuple(lost)


def param_names(kind: type) -> dict[str, None]:
    """Returns the names of the params that a class of estimators and its bases are made with."""
    found: dict[str, None] = {}
    for each in kind.__mro__:
        if each is not object and "__init__" in vars(each):
            named = list(inspect.signature(each.__init__).parameters.values())[1:]  # type: ignore[misc]
            single = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            found |= {part.name: None for part in named if part.kind in single}
    return found


def _plain(value: Any) -> Any:
    """Returns a value as JSON holds it; None where it does not."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        found = {key: _plain(each) for key, each in value.items()}
        texts = all(isinstance(key, str) for key in found)
        return found if texts and None not in found.values() else None
    if isinstance(value, (list, tuple)):
        parts = [_plain(each) for each in value]
        return None if None in parts else parts
    return None


def restore(kind: Any, data: bytearray, told: Content | None) -> Any:
    """Returns an estimator, with its booster and with what ``estimator.json`` tells.

    Args:
        kind: Its class.
        data: The booster's file.
        told: The other file; None where there is none.

    Raises:
        InvalidArgument: The other file is damaged.
    """
    estimator = kind()
    known = param_names(kind)
    params, results = ({}, None) if told is None else _read(told)
    own = {name: value for name, value in params.items() if name in known}
    if "n_jobs" in own:
        # The booster takes its number of threads from here.
        estimator.n_jobs = own["n_jobs"]
    estimator.load_model(data)
    for name, value in own.items():
        setattr(estimator, name, value)
    if told is not None:
        # load_model() puts in what the booster made of these; they were left to it.
        for name in {"base_score", "booster", "feature_types"} - own.keys():
            setattr(estimator, name, None)
    if others := {name: value for name, value in params.items() if name not in known}:
        estimator.kwargs = others
    if results is not None:
        estimator.evals_result_ = results
    return estimator


def _read(told: Content) -> tuple[dict[str, Any], dict[str, Any] | None]:
    try:
        content = json.loads(told.data)
        params, results = content["params"], content.get("evals_result")
        params |= {name: tuple(params[name]) for name in content["tuples"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(told.file, f"{type(error).__name__}: {error}") from error
    if not isinstance(params, dict) or not isinstance(results, (dict, type(None))):
        raise damaged(told.file, "its params are no mapping")
    return params, results
