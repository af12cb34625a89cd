"""What a scikit-learn estimator and its training data say, as plain values.

Pure functions: none of them changes the estimator, the data or any random state.
"""

from __future__ import annotations

import re
import types
from typing import Any

from autolog.sklearn.extract_metrics import Metrics, training_metrics
from autolog_core.data import dataset_of

__all__ = [
    "Metrics",
    "dataset_of",
    "estimator_diagram",
    "estimator_params",
    "estimator_tags",
    "is_loggable",
    "is_search",
    "param_text",
    "training_metrics",
    "unfitted",
]

# What prepares data is no training by itself: the modules and classes that MLflow leaves out too,
# and the union of such transformers.
_PREPARING_MODULES = frozenset(
    ("preprocessing", "impute", "feature_extraction", "feature_selection")
)
_PREPARING_CLASSES = frozenset(("ColumnTransformer", "FeatureUnion"))
_SEARCH = ("sklearn.model_selection._search", "BaseSearchCV")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="UTF-8"><title>{title}</title></head>
<body>
{body}
</body>
</html>
"""


def estimator_params(estimator: Any) -> dict[str, str]:
    """Returns the params of an estimator as text, in full length.

    Params of nested estimators are included; a search over params tells its own only, because
    those of the estimator that it tunes are what it varies. Memory addresses are left out: they
    would make equal params differ from run to run.

    Args:
        estimator: Fitted or not.

    Raises:
        Exception: Whatever the estimator's ``get_params`` raises.
    """
    values = estimator.get_params(deep=not is_search(estimator))
    return {str(key): param_text(value) for key, value in values.items()}


def param_text(value: object) -> str:
    """Returns the value of a param as text, without memory addresses."""
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType, type)):
        return f"{value.__module__}.{value.__qualname__}"
    try:
        text = str(value)
    except Exception as error:
        # The text of one odd value must not cost the run its other params.
        return f"<{type(value).__qualname__} without text: {type(error).__name__}>"
    return _ADDRESS.sub("", text)


def is_search(estimator: object) -> bool:
    """Whether the estimator searches params: grid, randomized or halving."""
    return _SEARCH in _bases(type(estimator))


def estimator_tags(estimator: object) -> dict[str, str]:
    """Returns the tags `estimator_name` and `estimator_class`."""
    cls = type(estimator)
    return {
        "estimator_name": cls.__name__,
        "estimator_class": f"{cls.__module__}.{cls.__name__}",
    }


def unfitted(estimator: Any) -> Any:
    """Returns an unfitted clone of an estimator, or None where none can be made."""
    from sklearn.base import clone

    try:
        return clone(estimator)
    except Exception:
        # An estimator that changes its params when it is made cannot be cloned.
        return None


def estimator_diagram(estimator: Any) -> str:
    """Returns scikit-learn's diagram of an estimator as an HTML page.

    It is drawn of an unfitted clone where one can be made: scikit-learn 1.9 also tabulates fitted
    attributes, for which it evaluates every property of the estimator, at any cost.
    """
    from sklearn.utils import estimator_html_repr

    drawn = unfitted(estimator)
    body = estimator_html_repr(estimator if drawn is None else drawn)
    return _PAGE.format(title=type(estimator).__name__, body=body)


def is_loggable(estimator: object) -> bool:
    """Whether fitting the estimator is a training; what only prepares data is not.

    A class of the user counts as its nearest base among the classes of scikit-learn.
    """
    for module, name in _bases(type(estimator)):
        package, _, rest = module.partition(".")
        if package != "sklearn" or rest == "base" or rest.startswith("utils"):
            continue
        area = rest.partition(".")[0]
        return area not in _PREPARING_MODULES and name not in _PREPARING_CLASSES
    return True


def _bases(cls: type) -> list[tuple[str, str]]:
    return [(base.__module__, base.__name__) for base in cls.__mro__]
