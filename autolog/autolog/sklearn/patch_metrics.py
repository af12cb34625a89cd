"""What is measured of models after their training: predictions, scores, metrics.

A metric belongs to the model whose prediction it was given, and is logged to the run that trained
it. `autolog.instrument.lineage` knows which prediction is whose; here is what leads to it.
"""

from __future__ import annotations

import sys
from functools import cached_property, partial
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from autolog.instrument import lineage
from autolog.instrument.guard import lightly
from autolog.instrument.wrapper import Wrapper

if TYPE_CHECKING:
    from autolog.instrument.call import Call
    from autolog.instrument.lineage_match import Found
    from autolog.instrument.patcher import PatchSet

PREDICTING = ("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples")
FOLLOWERS = {
    **dict.fromkeys(PREDICTING, lineage.follow_prediction),
    "transform": lineage.follow_transform,
    "score": lineage.follow_score,
}
# Not metrics: they make scorers, or compare rows with rows.
_FACTORIES = "sklearn.metrics._scorer"
_PAIRS = "sklearn.metrics.pairwise"
# Its scorers are called once for each shuffled column.
_SHUFFLING = ("_calculate_permutation_scores", "_weights_scorer")
_SCORING = ("estimator", "X", "y_true", "sample_weight")


def follow_methods(patches: PatchSet, owner: type) -> None:
    """Follows the predictions and scores of an estimator's class, in the classes that define them.

    Mixins are among those: scikit-learn's own, and the user's.
    """
    for base in owner.__mro__:
        held = base.__dict__
        for name in FOLLOWERS.keys() & held.keys():
            if _is_method(held[name]):
                patches.follow(base, name, FOLLOWERS[name])


def _is_method(raw: object) -> bool:
    """Whether a class's attribute is a method, and is not followed yet.

    A class may have a property of that name, or an object that can be called.
    """
    kind = type(raw)
    if kind is Wrapper or isinstance(raw, cached_property):
        return False
    return hasattr(kind, "__get__") and not hasattr(kind, "__set__")


def install_metrics(patches: PatchSet, module: ModuleType) -> None:
    """Patches what `module`, one of the hooks, holds of this."""
    if module.__name__ == "sklearn.metrics":
        _follow_functions(patches, module)
    elif module.__name__ == "sklearn.metrics._scorer":
        patches.follow(module._BaseScorer, "__call__", _scored)
        patches.follow(module._MultimetricScorer, "__call__", _scored_many)
    elif module.__name__ == "sklearn.model_selection._split":
        patches.follow(module, "train_test_split", lineage.follow_split, everywhere=True)
    elif module.__name__ == "sklearn.inspection._permutation_importance":
        for name in _SHUFFLING:
            if hasattr(module, name):
                patches.silence(module, name)


def _follow_functions(patches: PatchSet, module: ModuleType) -> None:
    """Follows the metrics, also where they were imported to before.

    In the modules of scikit-learn that define and use them they stay as they are: scorers hold the
    plain functions, and could not be pickled if those had others in their place.
    """
    wanted: dict[int, str] = {}
    for name in module.__all__:
        function = getattr(module, name)
        if isinstance(function, FunctionType) and function.__module__ not in (_FACTORIES, _PAIRS):
            wanted[id(function)] = name
    known = frozenset(wanted.values())
    holders = [each for each in list(sys.modules.values()) if _may_hold(each)]
    for holder in (module, module.cluster, *holders):
        held = holder.__dict__
        # Installed modules are thousands, and hold a function under its own name if at all.
        if held.keys().isdisjoint(known) and _is_installed(holder):
            continue
        for name in [name for name, value in list(held.items()) if id(value) in wanted]:
            metric = wanted[id(held[name])]
            patches.follow(holder, name, lightly(partial(_measured, patches, metric)))


def _is_installed(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and "site-packages" in file


def _may_hold(module: object) -> bool:
    if not isinstance(module, ModuleType):
        return False
    root = module.__name__.partition(".")[0]
    return root != "sklearn" and root not in sys.stdlib_module_names


def _measured(patches: PatchSet, name: str, call: Call, result: Any) -> None:
    """Logs what a function of `sklearn.metrics` returned, if it was given a known prediction."""
    if not getattr(patches.switch.options, "log_post_training_metrics", True):
        return
    found = lineage.predicted(call.args, call.kwargs)
    if found is None:
        return
    if lineage.is_number(result):
        lineage.log_measured(found, call.arguments(), name, name, result)
    else:
        _shown(found, call, name, result)


def _shown(found: Found, call: Call, name: str, result: Any) -> None:
    """Keeps what is no number but can be seen or read, such as a confusion matrix."""
    from autolog.sklearn import extract_results

    for axis in extract_results.axes_of(name, result) or ():
        lineage.relate(found, axis)
    arguments = call.arguments()
    chart = extract_results.chart_of(name, result, arguments)
    if chart is not None:
        lineage.log_chart(found, arguments, name, chart)
    text = extract_results.text_of(name, result)
    if text is not None:
        ending = ".txt" if isinstance(result, str) else ".json"
        lineage.log_text(found, arguments, name, ending, text)


def _scored(call: Call, result: Any) -> None:
    """Logs what a scorer returned of a trained model, as the metric that it stands for."""
    _score(call.instance, call, result)


def _scored_many(call: Call, result: Any) -> None:
    for name, scorer in call.instance._scorers.items():
        _score(scorer, call, result.get(name))


def _score(scorer: Any, call: Call, result: Any) -> None:
    if not lineage.is_number(result):
        return
    passed = {**dict(zip(_SCORING, call.args, strict=False)), **call.kwargs}
    estimator, data = passed.get("estimator"), passed.get("X")
    function = getattr(scorer, "_score_func", None)
    if function is None:
        # It hands the model's own score on.
        name = f"{type(estimator).__name__}_score"
    else:
        name = getattr(function, "__name__", "score")
        # A loss is turned round by its scorer: logged is what the function returned.
        result = result * scorer._sign
    lineage.scored(estimator, data, lambda: passed, name, repr(scorer), result, argument=1)
