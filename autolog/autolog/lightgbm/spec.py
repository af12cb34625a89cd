"""What the integration of LightGBM says about itself, without importing it."""

from __future__ import annotations

from autolog.instrument.spec import IntegrationSpec

SPEC = IntegrationSpec(
    name="lightgbm",
    package="lightgbm",
    supports=">=4.5,<4.8",
    hooks=("lightgbm.basic", "lightgbm.engine", "lightgbm.sklearn", "lightgbm.dask"),
    patch="autolog.lightgbm.patch:install",
    owns=("lightgbm",),
    without_effect={"registered_model_name": "this version has no model registry"},
)
