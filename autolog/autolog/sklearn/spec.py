"""What the integration of scikit-learn says about itself, without importing it."""

from __future__ import annotations

from dataclasses import dataclass

from autolog.instrument.spec import IntegrationSpec, Options
from autolog_core.errors import InvalidArgument

_FORMATS = ("pickle", "cloudpickle", "skops")


@dataclass(frozen=True, slots=True, kw_only=True)
class SklearnOptions(Options):
    """Options of scikit-learn's integration, with MLflow's names and defaults.

    Attributes:
        max_tuning_runs: Child runs of a parameter search at most; None for all.
        log_post_training_metrics: Whether metrics computed after the fit are kept.
        serialization_format: Of models: "pickle", "cloudpickle" or "skops".
        pos_label: The positive class, to which precision, recall and F1 then refer.
    """

    max_tuning_runs: int | None = 5
    log_post_training_metrics: bool = True
    serialization_format: str = "cloudpickle"
    pos_label: object = None

    def __post_init__(self) -> None:
        Options.__post_init__(self)
        runs = self.max_tuning_runs
        if runs is not None and (isinstance(runs, bool) or not isinstance(runs, int) or runs < 0):
            raise InvalidArgument(f"max_tuning_runs must be None or a number from 0, got {runs!r}")
        if self.serialization_format not in _FORMATS:
            raise InvalidArgument(
                f"serialization_format must be one of {', '.join(_FORMATS)}, got "
                f"{self.serialization_format!r}"
            )


SPEC = IntegrationSpec(
    name="sklearn",
    package="scikit-learn",
    supports=">=1.5,<1.10",
    hooks=(
        "sklearn.base",
        "sklearn.utils._set_output",
        "sklearn.utils.parallel",
        "sklearn.model_selection",
        "sklearn.model_selection._split",
        "sklearn.model_selection._validation",
        "sklearn.metrics",
        "sklearn.metrics._scorer",
        "sklearn.inspection._permutation_importance",
    ),
    patch="autolog.sklearn.patch:install",
    options=SklearnOptions,
    without_effect={"registered_model_name": "this version has no model registry"},
)
