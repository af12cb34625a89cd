"""Models of LightGBM that predict as any model does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autolog_core.data import kinds
from autolog_core.models.rows import as_categories, as_rows


class LightgbmWrapper:
    """A booster or an estimator that predicts as any model does."""

    def __init__(self, lgb_model: Any) -> None:
        self.lgb_model = lgb_model
        self._categorical: list[int] | None = None

    def get_raw_model(self) -> Any:
        """Returns the booster or estimator."""
        return self.lgb_model

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Returns what the model predicts.

        Args:
            data: Rows.
            params: Not used, as MLflow does not.
        """
        rows = as_rows(data)
        if kinds.kind_of(rows) == kinds.PANDAS_FRAME:
            rows = self._with_categories(rows)
        return self.lgb_model.predict(rows)

    def _with_categories(self, frame: Any) -> Any:
        """Returns a frame with the model's categorical columns as such, with its categories."""
        booster = getattr(self.lgb_model, "booster_", self.lgb_model)
        categories = booster.pandas_categorical or ()
        if not categories or frame.shape[1] != booster.num_feature():
            return frame
        if self._categorical is None:
            self._categorical = _categorical(booster)
        places = self._categorical
        if len(places) != len(categories):
            # Ordered categories are numbers to LightGBM; text among the data gives them away.
            texts = [str(dtype) in ("object", "str", "string") for dtype in frame.dtypes]
            places = [place for place, text in enumerate(texts) if text]
        if len(places) != len(categories):
            return frame
        names = [frame.columns[place] for place in places]
        return as_categories(frame, dict(zip(names, categories, strict=True)))


def _categorical(booster: Any) -> list[int]:
    """Returns which features of a booster are categorical, in their order."""
    # Of the trees only the first is written out; what is asked for is in the head.
    told = booster.dump_model(num_iteration=1)
    infos = told["feature_infos"]
    names = told["feature_names"]
    return [place for place, name in enumerate(names) if infos.get(name, {}).get("values")]
