"""What models take and give, and what a model directory says: MLflow's names.

`infer_signature` tells a signature from data, `get_model_info` reads what a saved model says about
itself. Neither loads a model or runs code of it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from autolog.instrument.models import model_folder
from autolog_core.errors import InvalidArgument
from autolog_core.models.enforce import fit_input
from autolog_core.models.example import make_example
from autolog_core.models.infer import infer_signature
from autolog_core.models.manifest import FILE, Model, ModelInfo
from autolog_core.models.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from autolog_core.models.signature import ModelSignature
from autolog_core.models.types import AnyType, Array, DataType, Map, Object, Property

__all__ = [
    "AnyType",
    "Array",
    "ColSpec",
    "DataType",
    "Map",
    "Model",
    "ModelInfo",
    "ModelSignature",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Property",
    "Schema",
    "TensorSpec",
    "convert_input_example_to_serving_input",
    "get_model_info",
    "infer_signature",
    "set_signature",
    "validate_schema",
]


def get_model_info(model_uri: str | os.PathLike[str]) -> ModelInfo:
    """Returns what a saved model says about itself.

    Args:
        model_uri: ``models:/<model id>``, ``runs:/<run id>/<name>``, its directory, or the
            ``file:`` address of it.

    Raises:
        NotFound: There is no model.
        InvalidArgument: Its manifest cannot be read.
    """
    return ModelInfo(Model.load(model_folder(model_uri)), os.fspath(model_uri))


def set_signature(model_uri: str | os.PathLike[str], signature: ModelSignature) -> None:
    """Gives a saved model another signature.

    Args:
        model_uri: ``models:/<model id>``, ``runs:/<run id>/<name>``, its directory, or the
            ``file:`` address of it.
        signature: What it takes and gives.

    Raises:
        NotFound: There is no model.
        InvalidArgument: `signature` is none.
    """
    if not isinstance(signature, ModelSignature):
        raise InvalidArgument(f"signature must be a ModelSignature, got {signature!r}")
    folder = Path(model_folder(model_uri))
    text = replace(Model.load(folder), signature=signature).to_yaml()
    draft = folder / f".{FILE}.{os.getpid()}.partial"
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, folder / FILE)
    finally:
        draft.unlink(missing_ok=True)


def validate_schema(data: Any, expected_schema: Schema) -> None:
    """Returns if a model of this schema takes the data.

    Raises:
        InvalidArgument: It does not; the message lists what is wrong.
    """
    fit_input(data, expected_schema)


def convert_input_example_to_serving_input(input_example: Any) -> str | None:
    """Returns an input example as the JSON text of a request to a scoring server.

    Raises:
        InvalidArgument: It is of a kind that examples cannot have.
    """
    return None if input_example is None else make_example(input_example).serving
