"""What is watched in CatBoost.

The ``fit`` of each class is watched where it is defined, so that classes of the user's are covered,
and ``train``, which makes a model and fits that. New Pools are looked at for what they are made of.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autolog.instrument.call import Call
    from autolog.instrument.patcher import PatchSet

EVALUATION = "catboost.eval.catboost_evaluation"
_MODELS = ("CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker")
_PREDICTIONS = ("predict", "predict_proba", "predict_log_proba")


def install(patches: PatchSet, module: ModuleType) -> None:
    """Patches what `module`, one of the hooks, holds."""
    if module.__name__ == EVALUATION:
        # It makes many small fits, which are no trainings of their own.
        patches.silence(module.CatboostEvaluation, "eval_cases")
    else:
        _watch(patches, module.core)


def _watch(patches: PatchSet, module: ModuleType) -> None:
    from autolog.catboost import patch_cv, patch_fit, patch_search, patch_select, pools
    from autolog.instrument import lineage

    def look(call: Call, _: Any) -> None:
        pools.remember(call, patches.switch.options)  # type: ignore[arg-type]

    for name in _MODELS:
        cls = getattr(module, name)
        patches.observe(cls, "fit", patch_fit.FitObserver, inside=patch_search.see_refit)
        for method in _PREDICTIONS:
            if method in cls.__dict__:
                patches.follow(cls, method, lineage.follow_prediction)
        if "score" in cls.__dict__:
            patches.follow(cls, "score", lineage.follow_score)
    for method in ("grid_search", "randomized_search"):
        patches.observe(module.CatBoost, method, patch_search.SearchObserver)
    patches.observe(module.CatBoost, "select_features", patch_select.SelectObserver)
    patches.observe(
        module, "sample_gaussian_process", patch_select.SamplesObserver, everywhere=True
    )
    patches.observe(module, "cv", patch_cv.CvObserver, everywhere=True)
    patches.follow(module.Pool, "__init__", look)
