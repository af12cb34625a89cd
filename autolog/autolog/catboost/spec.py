"""What the integration of CatBoost says about itself, without importing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autolog.instrument.spec import IntegrationSpec, Options
from autolog_core.errors import InvalidArgument

PREDICTION, LOSS = "PredictionValuesChange", "LossFunctionChange"
IMPORTANCES = (PREDICTION, LOSS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatboostOptions(Options):
    """Options of CatBoost's integration.

    Attributes:
        importance_types: Kinds of feature importance that are kept; None for
            "PredictionValuesChange". "LossFunctionChange" needs the training data once more.
        max_tuning_runs: Child runs of a parameter search at most; None for all.
    """

    importance_types: Sequence[str] | None = None
    max_tuning_runs: int | None = 5

    def __post_init__(self) -> None:
        Options.__post_init__(self)
        kinds = self.importance_types
        if kinds is not None and (
            isinstance(kinds, str)
            or not isinstance(kinds, Sequence)
            or any(each not in IMPORTANCES for each in kinds)
        ):
            raise InvalidArgument(
                f"importance_types must be None or a list of {' and '.join(IMPORTANCES)}, got "
                f"{kinds!r}"
            )
        runs = self.max_tuning_runs
        if runs is not None and (isinstance(runs, bool) or not isinstance(runs, int) or runs < 0):
            raise InvalidArgument(f"max_tuning_runs must be None or a number from 0, got {runs!r}")


SPEC = IntegrationSpec(
    name="catboost",
    package="catboost",
    supports=">=1.2.7,<1.3",
    # The package: it takes its names from catboost.core before anybody else can.
    hooks=("catboost", "catboost.eval.catboost_evaluation"),
    patch="autolog.catboost.patch:install",
    options=CatboostOptions,
    owns=("catboost",),
    without_effect={"registered_model_name": "this version has no model registry"},
)
