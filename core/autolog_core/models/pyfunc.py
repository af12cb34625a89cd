"""The flavor ``python_function``, by which any model predicts the same way."""

from __future__ import annotations

import platform
from typing import Any


def pyfunc_flavor(loader_module: str, **fields: Any) -> dict[str, Any]:
    """Returns the manifest's entry for the flavor.

    Args:
        loader_module: MLflow's name of the module that loads the model, so that MLflow finds it.
        fields: What that module needs to know; those that are None are left out.
    """
    return {
        "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
        "loader_module": loader_module,
        "python_version": platform.python_version(),
        **{name: value for name, value in fields.items() if value is not None},
    }
