"""One prediction and one probability estimate of an estimator, shared by all metrics."""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import Any

import numpy as np

# Where predict is the class of the highest probability by the library's own code, so that it need
# not be computed again. Linear models, boosting and others decide by scores instead, which round
# differently.
_FOREST = "sklearn.ensemble._forest.ForestClassifier"
_BAGGING = "sklearn.ensemble._bagging.BaggingClassifier"
_KNN = "sklearn.neighbors._classification.KNeighborsClassifier"
_VOTING = "sklearn.ensemble._voting.VotingClassifier"
_BY_PROBABILITY = {
    f"{_FOREST}.predict": f"{_FOREST}.predict_proba",
    f"{_BAGGING}.predict": f"{_BAGGING}.predict_proba",
    f"{_KNN}.predict": f"{_KNN}.predict_proba",
    f"{_VOTING}.predict": f"{_VOTING}.predict_proba",
    "sklearn.tree._classes.BaseDecisionTree.predict": (
        "sklearn.tree._classes.DecisionTreeClassifier.predict_proba"
    ),
}
_PIPELINE = "sklearn.pipeline.Pipeline"
_SEARCH = "sklearn.model_selection._search.BaseSearchCV"
_OWN_SCORE = "_PassthroughScorer"
_PASSED_ON = ("predict", "predict_proba", "score")


class Predictions:
    """What an estimator says about X, asked once.

    Attributes:
        estimator: The estimator that predicts: the last step of a pipeline, the best of a search.
        X: What it is asked about: the X that was given, through the steps before.
        search: The search that was passed through, if it scores by other means than the best
            estimator's ``score``, together with the X that it would be asked about.
        searched: Whether a search was passed through; its ``score`` takes no weights.
    """

    def __init__(self, estimator: Any, X: Any) -> None:
        self.search: tuple[Any, Any] | None = None
        self.searched = False
        while not routed():
            if _is_stock(estimator, _PIPELINE):
                for _, step in estimator.steps[:-1]:
                    if step is not None and step != "passthrough":
                        X = step.transform(X)
                estimator = estimator.steps[-1][1]
            elif _is_stock(estimator, _SEARCH) and hasattr(estimator, "best_estimator_"):
                self.searched = True
                if self.search is None and type(estimator.scorer_).__name__ != _OWN_SCORE:
                    self.search = estimator, X
                estimator = estimator.best_estimator_
            else:
                break
        self.estimator = estimator
        self.X = X

    @cached_property
    def probabilities(self) -> Any:
        """What ``predict_proba`` returns; None for an estimator without."""
        if not hasattr(self.estimator, "predict_proba"):
            return None
        return self.estimator.predict_proba(self.X)

    @cached_property
    def labels(self) -> Any:
        """What ``predict`` returns."""
        if _predicts_by_probability(self.estimator):
            best = np.argmax(self.probabilities, axis=1)
            return self.estimator.classes_.take(best, axis=0)
        return self.estimator.predict(self.X)

    @property
    def answer(self) -> Any:
        """What ``predict`` returned, if it was asked for; else None."""
        return self.__dict__.get("labels")


def routed() -> bool:
    """Whether scikit-learn's metadata routing is on, which decides what steps are passed."""
    from sklearn import get_config

    return bool(get_config().get("enable_metadata_routing", False))


def origin(estimator: object, method: str) -> str:
    """Returns where a method of an estimator is defined, as "module.Class.method".

    It reads through wrappers and descriptors, which carry the names of what they wrap.
    """
    if method in getattr(estimator, "__dict__", {}):
        return ""
    found = inspect.getattr_static(type(estimator), method, None)
    return f"{getattr(found, '__module__', '')}.{getattr(found, '__qualname__', '')}"


def _is_stock(estimator: object, owner: str) -> bool:
    return all(origin(estimator, method) == f"{owner}.{method}" for method in _PASSED_ON)


def _predicts_by_probability(estimator: Any) -> bool:
    predict = origin(estimator, "predict")
    if _BY_PROBABILITY.get(predict) != origin(estimator, "predict_proba"):
        return False
    if not isinstance(getattr(estimator, "classes_", None), np.ndarray):
        return False
    if predict.startswith(_KNN):
        return bool(estimator.weights == "uniform" and not estimator.outputs_2d_)
    if predict.startswith(_VOTING):
        return bool(estimator.voting == "soft")
    return int(getattr(estimator, "n_outputs_", 1)) == 1
