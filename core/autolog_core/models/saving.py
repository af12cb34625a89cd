"""What every flavor does before it saves: checks, the signature and the input example."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from autolog_core.errors import InvalidArgument
from autolog_core.models.code import check_code_paths
from autolog_core.models.example import make_example, split_params
from autolog_core.models.infer import infer_params, infer_schema, infer_signature
from autolog_core.models.manifest import Model
from autolog_core.models.signature import ModelSignature
from autolog_core.models.snapshot import Payload, Requirements, Snapshot
from autolog_core.models.tables import to_json

_logger = logging.getLogger("autolog")


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveOptions:
    """Arguments that saving has for every flavor, under MLflow's names.

    Attributes:
        signature: What the model takes and gives; False for none. Absent, it is inferred where
            there is an input example.
        input_example: A few rows of input, or a tuple of these and a mapping of params.
        metadata: What is kept with the model: text, numbers, lists and mappings.
        code_paths: Python files and folders that travel with the model.
        pip_requirements: Requirements, or a file of them, instead of those that are told.
        extra_pip_requirements: Requirements, or a file of them, besides.
        conda_env: A conda environment, or its file, instead of all.
        mlflow_model: Fields of the manifest that are known beforehand, such as ids.
    """

    signature: ModelSignature | Literal[False] | None = None
    input_example: Any = None
    metadata: Mapping[str, Any] | None = None
    code_paths: Sequence[str | os.PathLike[str]] | None = None
    pip_requirements: Any = None
    extra_pip_requirements: Any = None
    conda_env: Any = None
    mlflow_model: Model | None = None


def prepare(
    payload: Payload, options: SaveOptions, predict: Callable[..., Any] | None = None
) -> Snapshot:
    """Returns the snapshot to write; every mistake of the caller is told here.

    Args:
        payload: The model as it is now.
        options: What the caller says.
        predict: Predicts from data (and a mapping of params, where the example has one), to tell
            the signature of the output from the input example.

    Raises:
        InvalidArgument: An option has a wrong value.
        NotFound: A file that was named is missing.
    """
    signature = options.signature
    if signature not in (None, False) and not isinstance(signature, ModelSignature):
        raise InvalidArgument(
            f"signature must be a ModelSignature, False or None, got {signature!r}; "
            "autolog.models.infer_signature(input, output) makes one"
        )
    if options.metadata is not None and not isinstance(options.metadata, Mapping):
        raise InvalidArgument(f"metadata must be a mapping, got {options.metadata!r}")
    if options.mlflow_model is not None and not isinstance(options.mlflow_model, Model):
        raise InvalidArgument(f"mlflow_model must be a Model, got {options.mlflow_model!r}")
    requirements = Requirements(
        options.pip_requirements, options.extra_pip_requirements, options.conda_env
    )
    requirements.check()
    example = None if options.input_example is None else make_example(options.input_example)
    if signature is None and example is not None:
        signature = _signature_of(options.input_example, predict)
    return Snapshot(
        payload,
        signature or None,
        example,
        None if options.metadata is None else to_json(options.metadata),
        requirements,
        check_code_paths(options.code_paths),
        options.mlflow_model or Model(),
    )


def with_payload(taken: Snapshot, payload: Payload) -> Snapshot:
    """Returns a snapshot of the same model in another form."""
    return replace(taken, payload=payload)


def _signature_of(example: Any, predict: Callable[..., Any] | None) -> ModelSignature:
    data, params = split_params(example)
    if predict is None:
        return infer_signature(data, params=params)
    try:
        output = predict(data) if params is None else predict(data, params)
        outputs = infer_schema(output)
    except Exception as error:  # The user's model may raise anything.
        _logger.warning(
            "the model cannot predict from its input example, so its signature says nothing of "
            "the output: %s: %s",
            type(error).__name__,
            error,
        )
        return infer_signature(data, params=params)
    inputs = infer_signature(data).inputs
    return ModelSignature(inputs, outputs, infer_params(params) if params else None)
