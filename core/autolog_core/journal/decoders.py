"""Records of runs and models as operations; points are read by `reader`."""

from __future__ import annotations

import json
from collections.abc import Callable

from autolog_core.entities import Dataset, DatasetInput, InputTag
from autolog_core.journal.format import (
    CREATE_MODEL,
    CREATE_RUN,
    DELETE_MODEL_TAG,
    DELETE_TAG,
    FIELD,
    LOG_INPUTS,
    LOG_MODEL_INPUTS,
    LOG_MODEL_PARAMS,
    LOG_OUTPUTS,
    LOG_PARAMS,
    SET_MODEL_TAGS,
    SET_TAGS,
    UPDATE_MODEL,
    UPDATE_RUN,
)
from autolog_core.stores.operations import (
    CreateModel,
    CreateRun,
    DeleteModelTag,
    DeleteTag,
    LogInputs,
    LogModelInputs,
    LogModelParams,
    LogOutputs,
    LogParams,
    Operation,
    SetModelTags,
    SetTags,
    UpdateModel,
    UpdateRun,
)


def _pairs(fields: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple(zip(fields[::2], fields[1::2], strict=True))


def _create_run(text: str) -> Operation:
    run_id, experiment, name, user, start, uri, status, owned, *tags = text.split(FIELD)
    return CreateRun(
        run_id, experiment, name, user or None, int(start), uri, _pairs(tags), status, owned == "1"
    )


def _update_run(text: str) -> Operation:
    run_id, status, end, name, owned = text.split(FIELD)
    return UpdateRun(run_id, status or None, int(end) if end else None, name or None, owned == "1")


def _set_tags(text: str) -> Operation:
    run_id, *tags = text.split(FIELD)
    return SetTags(run_id, _pairs(tags))


def _delete_tag(text: str) -> Operation:
    run_id, key = text.split(FIELD)
    return DeleteTag(run_id, key)


def _log_params(text: str) -> Operation:
    run_id, *params = text.split(FIELD)
    return LogParams(run_id, _pairs(params))


def _log_inputs(text: str) -> Operation:
    run_id, uses = json.loads(text)
    return LogInputs(
        run_id,
        tuple(
            DatasetInput(Dataset(*dataset), tuple(InputTag(*tag) for tag in tags))
            for dataset, tags in uses
        ),
    )


def _texts(pairs: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in pairs)


def _create_model(text: str) -> Operation:
    head, params, tags = json.loads(text)
    model_id, experiment, name, location, moment, run_id, kind, status, owned = head
    return CreateModel(
        model_id,
        experiment,
        name,
        location,
        moment,
        run_id,
        kind,
        status,
        _texts(params),
        _texts(tags),
        owned,
    )


def _update_model(text: str) -> Operation:
    model_id, status, moment, message = text.split(FIELD)
    return UpdateModel(model_id, status, int(moment), message or None)


def _set_model_tags(text: str) -> Operation:
    model_id, *tags = text.split(FIELD)
    return SetModelTags(model_id, _pairs(tags))


def _delete_model_tag(text: str) -> Operation:
    model_id, key = text.split(FIELD)
    return DeleteModelTag(model_id, key)


def _log_model_params(text: str) -> Operation:
    model_id, *params = text.split(FIELD)
    return LogModelParams(model_id, _pairs(params))


def _log_outputs(text: str) -> Operation:
    run_id, *models = text.split(FIELD)
    return LogOutputs(run_id, tuple((model, int(step)) for model, step in _pairs(models)))


def _log_model_inputs(text: str) -> Operation:
    run_id, *models = text.split(FIELD)
    return LogModelInputs(run_id, tuple(models))


CREATIONS = frozenset((CREATE_RUN, CREATE_MODEL))
"""What comes before the points of its batch."""
DECODERS: dict[int, Callable[[str], Operation]] = {
    CREATE_RUN: _create_run,
    UPDATE_RUN: _update_run,
    SET_TAGS: _set_tags,
    DELETE_TAG: _delete_tag,
    LOG_PARAMS: _log_params,
    LOG_INPUTS: _log_inputs,
    CREATE_MODEL: _create_model,
    UPDATE_MODEL: _update_model,
    SET_MODEL_TAGS: _set_model_tags,
    DELETE_MODEL_TAG: _delete_model_tag,
    LOG_MODEL_PARAMS: _log_model_params,
    LOG_OUTPUTS: _log_outputs,
    LOG_MODEL_INPUTS: _log_model_inputs,
}
