"""What is remembered of models, of the data that they were given, and of what they predicted."""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from autolog.instrument.lineage_memory import Memory, is_array
from autolog.instrument.lineage_tables import Recent, WeakTable
from autolog.instrument.runs import AUTOLOGGING_TAG

if TYPE_CHECKING:
    from autolog_core.entities import Dataset
    from autolog_core.live import LiveRun

_MODELS = 10_000
_PREDICTIONS = 4096
_RECENT = 256
_numbers = itertools.count(1)


class Used:
    """Data that a run was trained with.

    Attributes:
        data: The features, referred to weakly; None where that cannot be.
        memory: Where they lie, if they are an array.
        dataset: The reference that the run holds.
        context: What they were used as, such as "train".
    """

    __slots__ = ("context", "data", "dataset", "memory")

    def __init__(self, data: Any, dataset: Dataset, context: str) -> None:
        self.data = weak(data)
        self.memory = Memory(data) if is_array(data) else None
        self.dataset = dataset
        self.context = context


class RunRecord:
    """What was measured in one run after the training.

    Attributes:
        used: The data of the training.
        step: The last one of a training that goes on.
        counts: Calls at that step so far, by metric.
        calls: How each metric came about, by its key.
        labels: The number of each data that had the same name.
        inputs: Names and digests of the datasets that the run holds.
        notices: What is to be known of the metrics.
        writing: Whether the file of the calls is about to be written.
    """

    __slots__ = ("calls", "counts", "inputs", "labels", "notices", "step", "used", "writing")

    def __init__(self) -> None:
        self.used: list[Used] = []
        self.step = 0
        self.counts: dict[str, int] = {}
        self.calls: dict[str, str] = {}
        self.labels: dict[str, dict[object, int]] = {}
        self.inputs: set[tuple[str, str]] = set()
        self.notices: list[str] = []
        self.writing = False


class Model:
    """A model that was trained while autologging was on.

    Attributes:
        live: The run that trained it.
        model_id: The logged model; None if none was kept.
        integration: Which recorded the training.
        record: Of the run.
    """

    __slots__ = ("_marks", "_names", "_steps", "integration", "live", "model_id", "record")

    def __init__(
        self, subject: Any, live: LiveRun, model_id: str | None, step: int | None = None
    ) -> None:
        self.live = live
        self.model_id = model_id
        self.integration = live.tags.get(AUTOLOGGING_TAG, "")
        self.record = record_of(live)
        if step is not None and step != self.record.step:
            self.record.step = step
            self.record.counts = {}
        first, *steps = [_marks_of(part) for part in _parts_of(subject)]
        self._names, self._marks = first
        self._steps = steps

    def is_still(self, subject: Any) -> bool:
        """Whether `subject` holds what the training left in it, as far as attributes tell."""
        names = self._names
        if names and tuple(map(id, map(subject.__dict__.get, names))) != self._marks:
            return False
        if not self._steps:
            return True
        steps = _parts_of(subject)[1:]
        return len(steps) == len(self._steps) and all(
            tuple(map(id, map(step.__dict__.get, names))) == marks
            for step, (names, marks) in zip(steps, self._steps, strict=True)
        )


class Given:
    """Data that a model was given.

    Attributes:
        data: The data, referred to weakly; None where that cannot be.
        memory: Where it lies, if it is a view of an array.
        code: What made the call.
        place: Of the call in it.
        argument: Which of the call's arguments it is.
        number: Tells it from other data.
        name: What it is called, once that is known.
        token: Tells whether data of the same name are the same, once the name is known.
        datasets: References to it or to some of its rows, by the rows.
    """

    __slots__ = (
        "argument",
        "code",
        "data",
        "datasets",
        "memory",
        "name",
        "number",
        "place",
        "token",
    )

    def __init__(self, data: Any, frame: FrameType | None, argument: int = 0) -> None:
        self.data = weak(data)
        self.memory: Memory | None = None
        if is_array(data) and data.base is not None:
            self.memory = Memory(data)
        self.code: CodeType | None = None if frame is None else frame.f_code
        self.place = 0 if frame is None else frame.f_lasti
        self.argument = argument
        self.number = number_of(data) if self.data is None else next(_numbers)
        self.name: str | None = None
        self.token: object = None
        self.datasets: dict[str, Dataset | None] | None = None


class Prediction:
    """What a model predicted.

    Attributes:
        model: The model.
        given: From what.
        rows: Of the prediction.
        content: Fingerprint of its values; None if it was not taken.
        result: The array, or the one that holds its memory, referred to weakly.
        memory: Where it lies, if it is a view.
        contents: Fingerprints of its columns, once they were taken.
        thread: That it was made in.
        is_ambiguous: Whether the same was predicted of other data before.
    """

    __slots__ = (
        "content",
        "contents",
        "given",
        "is_ambiguous",
        "memory",
        "model",
        "result",
        "rows",
        "thread",
    )

    def __init__(self, model: Model, given: Given, rows: int) -> None:
        self.model = model
        self.given = given
        self.rows = rows
        self.thread = threading.get_ident()
        self.content: int | None = None
        self.result: weakref.ref[Any] | None = None
        self.memory: Memory | None = None
        self.contents: tuple[int | None, ...] | None = None
        self.is_ambiguous = False


models: WeakTable[Model] = WeakTable(_MODELS)
predictions: WeakTable[Prediction] = WeakTable(_PREDICTIONS)
recent = Recent(_RECENT)
_numbered: WeakTable[int] = WeakTable(_MODELS)
_records: WeakKeyDictionary[LiveRun, RunRecord] = WeakKeyDictionary()
lock = threading.RLock()


def record_of(live: LiveRun) -> RunRecord:
    """Returns the record of a run."""
    with lock:
        found = _records.get(live)
        if found is None:
            found = _records[live] = RunRecord()
        return found


def number_of(data: Any) -> int:
    """Returns a number that stays with an object."""
    found = _numbered.get(data)
    if found is None:
        found = next(_numbers)
        # A list is the same for as long as it is at the same place.
        if not _numbered.put(data, found):
            return -id(data)
    return found


def weak(data: Any) -> weakref.ref[Any] | None:
    """Returns a weak reference, or None where there can be none."""
    try:
        return weakref.ref(data)
    except TypeError:
        return None


def _parts_of(subject: Any) -> tuple[Any, ...]:
    """Returns a model and the steps of a pipeline, whose fitted attributes are its own."""
    values = getattr(subject, "__dict__", None)
    steps = values.get("steps") if isinstance(values, dict) else None
    if not isinstance(steps, list):
        return (subject,)
    return (subject, *(step[1] for step in steps if hasattr(step[1], "__dict__")))


def _marks_of(part: Any) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Returns the fitted attributes that there are, and which objects they are."""
    values = getattr(part, "__dict__", None)
    if not isinstance(values, dict):
        return (), ()
    names = tuple(name for name in values if _is_fitted(name))
    return names, tuple(id(values[name]) for name in names)


def _is_fitted(name: str) -> bool:
    return (name.endswith("_") and not name.startswith("_")) or name == "_Booster"


def forget() -> None:
    """Drops everything that is remembered."""
    for table in (models, predictions, recent, _numbered):
        table.clear()


def _renew_locks() -> None:
    global lock
    lock = threading.RLock()
    recent.renew_lock()


os.register_at_fork(after_in_child=_renew_locks)
