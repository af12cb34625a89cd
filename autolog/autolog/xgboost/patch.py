"""What is watched in XGBoost.

Trainings: `train` and `cv`, wherever they were imported to; the fit of every estimator, those of
dask and of users among them; the estimators for Spark; boosters that are updated round by round.
Besides those only looked at: what matrices are made from, and predictions.
"""

from __future__ import annotations

import sys
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from autolog.instrument import control, faults, lineage
from autolog.instrument.guard import lightly
from autolog.xgboost import matrices, patch_loop
from autolog.xgboost.callers import calling_module
from autolog.xgboost.patch_cluster import DaskObserver, SparkObserver
from autolog.xgboost.patch_fit import FitObserver, is_of_dask
from autolog.xgboost.patch_train import CvObserver, TrainObserver

if TYPE_CHECKING:
    from collections.abc import Callable

    from autolog.instrument.call import Call
    from autolog.instrument.guard import Switch
    from autolog.instrument.patcher import PatchSet
    from autolog.instrument.recorder import Recorder

_MATRICES = ("DMatrix", "QuantileDMatrix", "ExtMemQuantileDMatrix")
_PREDICTIONS = ("predict", "predict_proba")
_DASK = "xgboost.dask"


def install(patches: PatchSet, module: ModuleType) -> None:
    """Patches what `module`, one of the hooks, holds."""
    if module.__name__ == "xgboost.spark.core":
        patches.observe(module._SparkXGBEstimator, "_fit", SparkObserver)
        return
    from xgboost import callback, core, training

    _watch_functions(patches, training, callback)
    _watch_matrices(patches, core)
    _watch_boosters(patches, core.Booster)
    if _DASK in sys.modules:
        _watch_dask(patches, sys.modules[_DASK])
    estimators = sys.modules.get("xgboost.sklearn")
    if estimators is not None:
        _watch_estimators(patches, estimators.XGBModel)


def _watch_functions(patches: PatchSet, training: Any, callback: Any) -> None:
    train, cv = training.train, training.cv
    patches.observe(
        training,
        "train",
        partial(TrainObserver, train),
        inside=partial(_inside_fit, train),
        everywhere=True,
    )
    patches.observe(training, "cv", partial(CvObserver, cv), everywhere=True)
    if hasattr(callback, "_aggcv"):
        # It takes the mean over folds, whose scores are seen nowhere else.
        patches.observe(callback, "_aggcv", _NoTraining, inside=_inside_cv)


def _inside_fit(
    function: Callable[..., Any], observer: Any, call: Call, recorder: Recorder
) -> Call | None:
    seen = isinstance(observer, FitObserver)
    return observer.see_train(call, recorder, function) if seen else None


def _inside_cv(observer: Any, call: Call, recorder: Recorder) -> None:
    if isinstance(observer, CvObserver):
        observer.see_folds(call, recorder)


class _NoTraining:
    """Watches what is only looked at inside of other calls."""

    def __init__(self, options: Any) -> None:
        pass

    def wants(self, call: Call) -> bool:
        return False

    def title(self, call: Call) -> str:
        return ""

    def before(self, call: Call, recorder: Recorder) -> None:
        pass

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        pass

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        pass


def _watch_matrices(patches: PatchSet, core: Any) -> None:
    for name in _MATRICES:
        kind = getattr(core, name, None)
        if kind is not None:
            patches.follow(kind, "__init__", lightly(_follow_matrix))
    patches.follow(core.DMatrix, "slice", lightly(_follow_slice))
    for name in ("set_label", "set_info"):
        patches.follow(core.DMatrix, name, lightly(_follow_label))


def _follow_matrix(call: Call, result: Any) -> None:
    if not calling_module().startswith("xgboost."):
        _remember(call, ("data", "label"))


def _follow_dask_matrix(call: Call, result: Any) -> None:
    _remember(call, ("client", "data", "label"))


def _remember(call: Call, names: tuple[str, ...]) -> None:
    options = control.options_of("xgboost")
    if options is not None:
        passed = dict(zip(names, call.args, strict=False)) | call.kwargs
        matrices.remember(call.instance, passed.get("data"), passed.get("label"), options)


def _follow_slice(call: Call, result: Any) -> None:
    rows = call.args[0] if call.args else call.kwargs.get("rindex")
    matrices.remember_slice(result, call.instance, rows)


def _follow_label(call: Call, result: Any) -> None:
    if call.args or call.kwargs.get("label") is not None:
        matrices.relabel(call.instance)


def _watch_boosters(patches: PatchSet, booster: Any) -> None:
    patches.follow(booster, "__init__", lightly(patch_loop.follow_making))
    patches.follow(booster, "set_param", lightly(patch_loop.follow_setting))
    for name in ("update", "boost"):
        patches.follow(booster, name, partial(_follow_update, patches.switch))
    for name in ("eval", "eval_set"):
        patches.follow(booster, name, patch_loop.follow_scores)
    for name in ("predict", "inplace_predict"):
        patches.follow(booster, name, lineage.follow_prediction)


def _follow_update(switch: Switch, call: Call, result: Any) -> None:
    patch_loop.follow_update(switch, call)


def _watch_dask(patches: PatchSet, module: Any) -> None:
    patches.observe(module, "train", partial(DaskObserver, module.train), everywhere=True)
    patches.follow(module.DaskDMatrix, "__init__", lightly(_follow_dask_matrix))


def _watch_estimators(patches: PatchSet, base: Any) -> None:
    before = base.__dict__.get("__init_subclass__")

    def init_subclass(cls: Any, /, **kwargs: Any) -> None:
        if before is None:
            super(base, cls).__init_subclass__(**kwargs)
        else:
            before.__get__(None, cls)(**kwargs)
        if not patches.live:
            return
        try:
            if cls.__module__ == _DASK:
                _watch_dask(patches, sys.modules[_DASK])
            _watch_estimator(patches, base, cls)
        except Exception as error:
            faults.record("xgboost", cls.__qualname__, "the definition of a class", error)

    init_subclass.__name__ = "__init_subclass__"
    init_subclass.__qualname__ = f"{base.__qualname__}.__init_subclass__"
    patches.replace(base, "__init_subclass__", classmethod(init_subclass))
    kinds = [base]
    for kind in kinds:
        _watch_estimator(patches, base, kind)
        kinds += [child for child in type.__subclasses__(kind) if child not in kinds]


def _watch_estimator(patches: PatchSet, base: type, kind: type) -> None:
    if "fit" in vars(kind):
        patches.observe(kind, "fit", FitObserver)
    if is_of_dask(kind):
        # It predicts when it is asked for the values.
        return
    for name in (*_PREDICTIONS, "score"):
        owner = next((each for each in kind.__mro__ if name in vars(each)), None)
        if owner is None or (owner is not kind and issubclass(owner, base)):
            continue
        score = name == "score"
        patches.follow(kind, name, lineage.follow_score if score else lineage.follow_prediction)
