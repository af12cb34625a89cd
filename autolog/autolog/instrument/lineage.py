"""What came from where: which run trained an estimator, which estimator predicted an array.

Nothing of the user's is held: estimators and data are referred to weakly. What is predicted is
known again as the same array, as a view of it, and as a copy of its content.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from autolog.instrument import lineage_match, lineage_records, lineage_split, ongoing
from autolog.instrument.guard import lightly
from autolog.instrument.lineage_log import is_number, log_chart, log_measured, log_text
from autolog.instrument.lineage_match import Found, relate
from autolog.instrument.lineage_names import users_frame
from autolog.instrument.lineage_records import Given, Model, Used, models, record_of
from autolog.instrument.lineage_split import follow_derived, follow_split

if TYPE_CHECKING:
    from autolog.instrument.call import Call
    from autolog_core.entities import Dataset
    from autolog_core.live import LiveRun

__all__ = [
    "follow_prediction",
    "follow_score",
    "follow_split",
    "follow_transform",
    "forget",
    "is_number",
    "log_chart",
    "log_measured",
    "log_text",
    "model_of",
    "predicted",
    "relate",
    "scored",
    "trained",
    "used",
]

_FEATURES = ("X", "data")
_MOST_USED = 100
"""Data of one training that are remembered; the batches of a long one are more."""


def trained(subject: Any, live: LiveRun, model_id: str | None, *, step: int | None = None) -> None:
    """Remembers that a run trained `subject`, and as which logged model it was kept.

    What is measured of `subject` later is logged to that run, as long as its fitted attributes are
    the objects that they are now.

    Args:
        subject: The estimator; no reference to it is kept.
        live: The run.
        model_id: The logged model, if there is one.
        step: Of a training that goes on: what is measured before the next step is logged at this
            one, so that repeated metrics are a curve; None for a training that is over.
    """
    model = Model(subject, live, model_id, step)
    models.put(subject, model)
    labels = getattr(subject, "__dict__", {}).get("labels_")
    if labels is not None:
        # What a clustering predicts of the data that it was fitted to.
        data = next((each.data for each in record_of(live).used if each.context == "train"), None)
        lineage_match.remember(model, Given(None if data is None else data(), None), labels)


def used(data: Any, dataset: Dataset, context: str, live: LiveRun) -> None:
    """Remembers the reference to `data`, features that a training used as `context`.

    Args:
        data: The features; no reference to them is kept.
        dataset: The reference that the run holds.
        context: Such as "train".
        live: The run.
    """
    record = record_of(live)
    with lineage_records.lock:
        record.used.append(Used(data, dataset, context))
        del record.used[:-_MOST_USED]
        record.inputs.add((dataset.name, dataset.digest))


def model_of(subject: Any) -> Model | None:
    """Returns what is known of an estimator, if it is as its training left it."""
    ongoing.tell_step(subject)
    model = models.get(subject)
    if model is None or model.is_still(subject):
        return model
    # It was fitted again where nobody watched, or changed by hand.
    models.forget(subject)
    return None


@lightly
def follow_prediction(call: Call, result: Any) -> None:
    """Remembers which model predicted `result`; for `PatchSet.follow`.

    Not of one row, as programs that serve a model ask for: no metric is made of that.
    """
    if _is_one_row(result):
        return
    model = model_of(call.instance)
    if model is not None:
        lineage_match.remember(model, Given(_features(call), users_frame(2)), result)


@lightly
def follow_transform(call: Call, result: Any) -> None:
    """The same for a transformer, whose results belong to the split that its input belongs to."""
    if _is_one_row(result):
        return
    data = _features(call)
    follow_derived(data, result)
    model = model_of(call.instance)
    if model is not None:
        given = Given(data, users_frame(2))
        lineage_match.remember(model, given, result, content=False)


def follow_score(call: Call, result: Any) -> None:
    """Logs the score that a trained model gave itself; for `PatchSet.follow`."""
    name = type(call.instance).__name__
    scored(
        call.instance,
        _features(call),
        call.arguments,
        f"{name}_score",
        f"{name}.score",
        result,
    )


def scored(
    subject: Any,
    data: Any,
    arguments: Callable[[], Mapping[str, Any]],
    name: str,
    title: str,
    value: Any,
    *,
    argument: int = 0,
) -> None:
    """Logs what was measured of an estimator, if it is one that was trained.

    Args:
        subject: The estimator.
        data: The features that it was given.
        arguments: Returns the arguments of the call, by parameter.
        name: Of the metric.
        title: Of what was called, for the record of the call.
        value: The result; logged if it is a number.
        argument: Which argument of the call the features are.
    """
    model = model_of(subject)
    if model is None or not is_number(value):
        return
    found = Found(model, Given(data, users_frame(), argument), None, data)
    log_measured(found, arguments(), name, title, value, data=data)


def predicted(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Found | None:
    """Returns the prediction among the arguments of a call, and which model made it."""
    return lineage_match.find(args, kwargs)


def forget() -> None:
    """Drops everything that is remembered."""
    lineage_records.forget()
    lineage_split.forget()


def _is_one_row(result: Any) -> bool:
    try:
        return bool(result.shape[0] == 1)
    except (AttributeError, IndexError, TypeError):
        return False


def _features(call: Call) -> Any:
    if call.args:
        return call.args[0]
    for name in _FEATURES:
        if name in call.kwargs:
            return call.kwargs[name]
    return next(iter(call.kwargs.values()), None)
