"""What one call of ``partial_fit`` says: how much data it got, and how good the estimator is now.

Called once for each batch, within the user's loop: cheap, and without a copy of the batch.
"""

from __future__ import annotations

import inspect
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np

from autolog_core.models.rows import first_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

SCORE = "batch_score"
SAMPLES = "samples_seen"
_PRESENT = (("loss_", "loss"), ("inertia_", "inertia"))


def count_rows(X: Any) -> int | None:
    """Returns how many rows a batch has; None where it cannot tell."""
    shape = getattr(X, "shape", None)
    try:
        return int(shape[0]) if shape is not None else len(X)
    except (TypeError, IndexError, ValueError):
        # A generator, or a scalar that the estimator will refuse.
        return None


def present_numbers(estimator: Any) -> dict[str, float]:
    """Returns what an estimator says of its last batch: ``loss`` and ``inertia``, if it does."""
    held = getattr(estimator, "__dict__", {})
    found = {}
    for attribute, key in _PRESENT:
        value = held.get(attribute)
        if isinstance(value, (float, np.floating)):
            found[key] = float(value)
    return found


def plain_labels(classes: Any) -> Any:
    """Returns labels, or a list of them for each output, as Python's own values."""
    if hasattr(classes, "tolist"):
        return classes.tolist()
    return (
        [plain_labels(each) for each in classes] if isinstance(classes, (list, tuple)) else classes
    )


def kept_rows(X: Any) -> Any:
    """Returns a copy of the first rows that does not hold the batch; None where there is none.

    Programs fill one buffer with batch after batch, and a slice of it would change with it.
    """
    rows = first_rows(X)
    if rows is None:
        return None
    try:
        return pickle.loads(pickle.dumps(rows, protocol=pickle.HIGHEST_PROTOCOL))
    except Exception:
        # Rows of the user's own objects.
        return None


def can_score(estimator: Any, rows: int | None) -> bool:
    """Whether the score of a batch says something: there is one, and of more than one row."""
    return rows is not None and rows > 1 and hasattr(estimator, "score")


def batch_score(estimator: Any, passed: Mapping[str, Any]) -> float:
    """Returns the estimator's own score on the batch that it was just trained with.

    Args:
        estimator: Fitted.
        passed: The arguments of the call by name; weights are used where `score` takes them.

    Raises:
        Exception: Whatever the estimator raises.
    """
    from autolog.sklearn.extract_random import kept_random_state
    from autolog.sklearn.state import kept_attributes

    X = passed.get("X", next(iter(passed.values()), None))
    weights = passed.get("sample_weight")
    more = {}
    if weights is not None and "sample_weight" in inspect.signature(estimator.score).parameters:
        more["sample_weight"] = weights
    with kept_random_state(estimator), kept_attributes(estimator):
        return float(estimator.score(X, passed["y"], **more))
