"""What the integration says about itself, without importing its library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autolog.instrument.spec import IntegrationSpec, Options
from autolog_core.errors import InvalidArgument

IMPORTANCES = ("weight", "gain", "cover", "total_gain", "total_cover")
_FORMATS = ("ubj", "json", "xgb")


@dataclass(frozen=True, slots=True, kw_only=True)
class XgboostOptions(Options):
    """Options of XGBoost's integration, with MLflow's names and defaults.

    Attributes:
        importance_types: Importances of the features to keep, in XGBoost's words; None for
            "weight" alone.
        model_format: Of models: "ubj", "json", or "xgb", which is UBJSON under an old name.
    """

    importance_types: Sequence[str] | None = None
    model_format: str = "ubj"

    def __post_init__(self) -> None:
        Options.__post_init__(self)
        kinds = self.importance_types
        listed = () if kinds is None else kinds
        if isinstance(listed, str) or any(kind not in IMPORTANCES for kind in listed):
            raise InvalidArgument(
                f"importance_types must be a list of some of {', '.join(IMPORTANCES)}, or None for "
                f"weight, got {kinds!r}"
            )
        if self.model_format not in _FORMATS:
            raise InvalidArgument(
                f"model_format must be one of {', '.join(_FORMATS)}, got {self.model_format!r}"
            )


# The package is the hook, not the modules in it: while those are imported, xgboost-cpu has no
# version that can be asked for. The module of dask is heard of by the classes that it defines.
SPEC = IntegrationSpec(
    name="xgboost",
    package="xgboost",
    supports=">=2.1.1,<3.3",
    hooks=("xgboost", "xgboost.spark.core"),
    patch="autolog.xgboost.patch:install",
    options=XgboostOptions,
    owns=("xgboost",),
    without_effect={"registered_model_name": "this version has no model registry"},
)
