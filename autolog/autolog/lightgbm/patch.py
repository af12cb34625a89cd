"""What is watched in LightGBM.

``train`` and ``cv`` are watched wherever a module holds them, and so is the ``fit`` of every class
of estimators: those that exist when autologging begins, and those that are defined later. What a
training calls inside belongs to it: the ``train`` in a ``fit`` gets our callback there.
"""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from autolog.instrument import faults, lineage
from autolog.lightgbm import patch_data, patch_fit, patch_train, patch_update

if TYPE_CHECKING:
    from autolog.instrument.patcher import PatchSet

_PREDICTIONS = ("predict", "predict_proba", "decision_function")
# Where `cv` brings the results of its folds together.
_AGGREGATE = "_agg_cv_result"
_SCORED = ("LGBMClassifier", "LGBMRegressor")
# What runs on the workers of dask; where they are threads of this process it would make runs.
_WORK = ("_train_part", "_predict_part")


def install(patches: PatchSet, module: ModuleType) -> None:
    """Patches what `module`, one of the hooks, holds."""
    if module.__name__ == "lightgbm.basic":
        _watch_basic(patches, module)
    elif module.__name__ == "lightgbm.engine":
        patches.observe(
            module,
            "train",
            patch_train.TrainObserver,
            inside=patch_fit.see_training,
            everywhere=True,
        )
        patches.observe(module, "cv", patch_train.CvObserver, everywhere=True)
        if hasattr(module, _AGGREGATE):
            observer = patch_train.AggregateObserver
            patches.observe(module, _AGGREGATE, observer, inside=patch_train.see_folds)
    elif module.__name__ == "lightgbm.sklearn":
        _watch_estimators(patches, module)
    else:
        for name in filter(partial(hasattr, module), _WORK):
            patches.silence(module, name)


def _watch_basic(patches: PatchSet, module: Any) -> None:
    patches.observe(module.Dataset, "construct", patch_data.ConstructObserver)
    patches.follow(module.Dataset, "set_label", patch_data.follow_labels)
    patches.follow(module.Booster, "update", patch_update.follow_update(patches))
    for name in ("eval", "eval_train", "eval_valid"):
        patches.follow(module.Booster, name, patch_update.follow_eval)
    patches.follow(module.Booster, "predict", lineage.follow_prediction)


def _watch_estimators(patches: PatchSet, module: Any) -> None:
    base = module.LGBMModel
    _hear_of_subclasses(patches, base)
    seen: set[type] = set()
    stack: list[type] = [base]
    while stack:
        owner = stack.pop()
        if owner not in seen:
            seen.add(owner)
            watch(patches, owner)
            stack += type.__subclasses__(owner)


def watch(patches: PatchSet, owner: type) -> None:
    """Watches the methods that a class of estimators itself defines."""
    own = vars(owner)
    if "fit" in own:
        patches.observe(owner, "fit", patch_fit.FitObserver)
    if any(base.__name__ == "_DaskLGBMModel" for base in owner.__mro__):
        # What these predict is computed later.
        return
    for name in _PREDICTIONS:
        if name in own:
            patches.follow(owner, name, lineage.follow_prediction)
    if "score" in own or owner.__name__ in _SCORED:
        patches.follow(owner, "score", lineage.follow_score)


def _hear_of_subclasses(patches: PatchSet, base: Any) -> None:
    def init_subclass(cls: Any, /, **kwargs: Any) -> None:
        super(base, cls).__init_subclass__(**kwargs)
        if not patches.live:
            return
        try:
            watch(patches, cls)
        except Exception as error:
            faults.record("lightgbm", cls.__qualname__, "the definition of a class", error)

    init_subclass.__name__ = "__init_subclass__"
    init_subclass.__qualname__ = f"{base.__qualname__}.__init_subclass__"
    patches.replace(base, "__init_subclass__", classmethod(init_subclass))
