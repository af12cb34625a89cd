"""Models of XGBoost that predict as any model does."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any

from autolog.xgboost.estimator import library
from autolog_core.models.rows import as_categories, as_rows

_logger = logging.getLogger("autolog")


class XgboostWrapper:
    """A booster or an estimator that predicts as any model does."""

    def __init__(self, xgb_model: Any) -> None:
        self.xgb_model = xgb_model

    def get_raw_model(self) -> Any:
        """Returns the booster or estimator."""
        return self.xgb_model

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Returns what the model predicts.

        Args:
            data: Rows.
            params: Arguments of the model's own `predict`; those that it does not have are left
                out, with a warning.
        """
        model = self.xgb_model
        arguments = _accepted(model.predict, params or {})
        xgboost = library()
        native = isinstance(model, xgboost.Booster)
        booster = model if native else model.get_booster()
        rows = _with_categories(as_rows(data), booster)
        if not native:
            return model.predict(rows, **arguments)
        matrix = xgboost.DMatrix(rows, enable_categorical="c" in (booster.feature_types or ()))
        return model.predict(matrix, **arguments)


def _accepted(method: Callable[..., Any], params: Mapping[str, Any]) -> dict[str, Any]:
    known = inspect.signature(method).parameters
    if any(each.kind is each.VAR_KEYWORD for each in known.values()):
        return dict(params)
    if unknown := [name for name in params if name not in known]:
        _logger.warning("XGBoost's predict() takes no %s: left out", ", ".join(unknown))
    return {name: value for name, value in params.items() if name in known}


def _with_categories(rows: Any, booster: Any) -> Any:
    """Returns a frame with the model's categorical columns as such, if the model knows the codes.

    Before XGBoost 3.1 a model did not: the same text could then mean another category.
    """
    if not hasattr(rows, "columns") or not hasattr(booster, "get_categories"):
        return rows
    kinds, names = booster.feature_types or [], booster.feature_names or []
    columns = {name: None for name, kind in zip(names, kinds, strict=False) if kind == "c"}
    if not columns or booster.get_categories().empty():
        return rows
    return as_categories(rows, columns)
