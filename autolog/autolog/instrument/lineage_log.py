"""Writing what was measured of a model to the run that trained it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

from autolog.instrument import control, faults, lineage_records
from autolog.instrument.lineage_data import dataset_of_origin, name_of, notice_of, origin_of
from autolog.instrument.lineage_names import spelled, users_frame
from autolog_core import limits
from autolog_core.entities import CONTEXT_TAG, DatasetInput, InputTag
from autolog_core.errors import InvalidArgument

if TYPE_CHECKING:
    from autolog.instrument.charts import Chart
    from autolog.instrument.lineage_data import Origin
    from autolog.instrument.lineage_match import Found
    from autolog.instrument.lineage_records import Model, RunRecord
    from autolog.instrument.spec import Options
    from autolog_core.entities import Dataset
    from autolog_core.live import LiveRun

METRIC_INFO = "metric_info.json"
NOTICE_TAG = "autolog.notice"
SPLIT_TAG = "autolog.split"
_MOST_CALLS = 1000
"""Calls of one metric that are logged: each has a key of its own, and a loop makes many."""


def is_number(result: Any) -> bool:
    """Whether a result can be logged as a metric; truth values and arrays cannot."""
    if isinstance(result, (int, float)):
        return not isinstance(result, bool)
    kind = getattr(getattr(result, "dtype", None), "kind", "")
    return kind in ("f", "i", "u") and getattr(result, "shape", None) == ()


def log_measured(
    found: Found,
    arguments: Mapping[str, Any],
    name: str,
    title: str,
    value: float,
    *,
    data: Any = None,
) -> None:
    """Logs a metric of a model, linked to the model and to the data that it was computed on.

    Args:
        found: The model, and what it was given.
        arguments: Of the call that returned the metric, by parameter.
        name: Of the metric.
        title: Of what was called, for the record of the call.
        value: Of the metric.
        data: What the model was given, where the caller has it.
    """
    options = _options(found.model)
    if options is None:
        return
    frame = users_frame()
    model, live = found.model, found.model.live
    others = [each for each in arguments.values() if each is not found.value]
    origin = origin_of(found.given, others, data)
    key = _key(found, name, origin, others, frame)
    if key is None:
        return
    dataset = None
    if options.log_datasets:
        try:
            dataset = dataset_of_origin(found.given, origin, found.rows, others, model.record)
        except Exception as error:
            # Data that cannot be read must not cost the run its metric.
            faults.record(model.integration, title, "the dataset", error, silent=options.silent)
        if dataset is not None:
            _log_input(live, model.record, dataset, origin)
    live.log_metric(
        key,
        value,
        step=model.record.step,
        model_id=model.model_id,
        dataset_name=None if dataset is None else dataset.name,
        dataset_digest=None if dataset is None else dataset.digest,
    )
    notice = notice_of(origin, model.record)
    if notice is not None:
        _note(live, model.record, f"{found.given.name}: {notice}")
    spelt = ", ".join(f"{each}={spelled(value, frame)}" for each, value in arguments.items())
    _record_call(live, model.record, key, f"{title}({spelt})")


def log_chart(found: Found, arguments: Mapping[str, Any], name: str, chart: Chart) -> None:
    """Keeps a result that is a picture, named as a metric would be.

    Args:
        found: The model, and what it was given.
        arguments: Of the call that returned the result, by parameter.
        name: Of what was called.
        chart: What is to be seen.
    """
    from autolog.instrument.charts import can_draw, draw

    key = _key_of_file(found, arguments, name)
    if key is None:
        return
    live = found.model.live
    content = json.dumps(chart.to_dict(), separators=(",", ":"))
    _write_later(live, f"{key}.json", content.encode)
    if can_draw():
        _write_later(live, f"{key}.png", lambda: draw(chart))


def log_text(found: Found, arguments: Mapping[str, Any], name: str, ending: str, text: str) -> None:
    """Keeps a result that is text, named as a metric would be; as `log_chart`."""
    key = _key_of_file(found, arguments, name)
    if key is not None:
        _write_later(found.model.live, f"{key}{ending}", text.encode)


def _key_of_file(found: Found, arguments: Mapping[str, Any], name: str) -> str | None:
    if _options(found.model) is None:
        return None
    others = [each for each in arguments.values() if each is not found.value]
    return _key(found, name, origin_of(found.given, others), others, users_frame())


def _write_later(live: LiveRun, path: str, make: Callable[[], bytes]) -> None:
    """Writes a file of a run in the background."""
    from autolog.fluent_runs import session_of
    from autolog_core.artifacts import open_repository

    uri = live.artifact_uri
    session_of(live).background.submit(lambda: open_repository(uri).write_bytes(path, make()))


def _options(model: Model) -> Options | None:
    """Returns the options of the integration that trained a model, if it is to log now."""
    from autolog import _active
    from autolog.fluent_runs import session_of

    if session_of(model.live).is_closed():
        # The program tracks elsewhere by now.
        return None
    options = control.options_of(model.integration)
    if options is None or not getattr(options, "log_post_training_metrics", True):
        return None
    return None if options.exclusive and _active.current() is not None else options


def _key(
    found: Found,
    name: str,
    origin: Origin,
    others: Sequence[Any],
    frame: FrameType | None,
) -> str | None:
    """Returns the key of a metric, counted as MLflow does: calls by metric, data by name."""
    data, token = name_of(found.given, origin, others, frame)
    record = found.model.record
    with lineage_records.lock:
        number = record.counts.get(name, 0) + 1
        record.counts[name] = number
        labels = record.labels.setdefault(data, {})
        label = _numbered(data, labels.setdefault(token, len(labels) + 1))
    if number > _MOST_CALLS:
        _note(found.model.live, record, f"{name}: calls beyond {_MOST_CALLS} are not logged")
        return None
    return _legal(f"{_numbered(name, number)}_{label}")


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def _legal(key: str) -> str:
    try:
        return limits.check_key(key, "metric")
    except InvalidArgument:
        # The name of a function of the user may be "<lambda>".
        return re.sub(r"[^\w.\- ]", "_", key)[: limits.KEY_LENGTH]


def _log_input(live: LiveRun, record: RunRecord, dataset: Dataset, origin: Origin) -> None:
    known = (dataset.name, dataset.digest)
    with lineage_records.lock:
        if known in record.inputs:
            return
        record.inputs.add(known)
    tags = [InputTag(CONTEXT_TAG, "eval")]
    if origin.part is not None:
        tags.append(InputTag(SPLIT_TAG, origin.part.half))
    live.log_inputs([DatasetInput(dataset, tuple(tags))])


def _note(live: LiveRun, record: RunRecord, notice: str) -> None:
    with lineage_records.lock:
        if notice in record.notices:
            return
        record.notices.append(notice)
        text = "; ".join(record.notices)
    live.set_tags({NOTICE_TAG: text[: limits.TAG_VALUE_LENGTH]})


def _record_call(live: LiveRun, record: RunRecord, key: str, text: str) -> None:
    with lineage_records.lock:
        record.calls[key] = text
        waiting, record.writing = record.writing, True
    if not waiting:
        # However many metrics come meanwhile, they are in the one file that is written then.
        _write_later(live, METRIC_INFO, lambda: _calls(record))


def _calls(record: RunRecord) -> bytes:
    with lineage_records.lock:
        record.writing = False
        calls = dict(sorted(record.calls.items()))
    return json.dumps(calls, indent=2).encode()
