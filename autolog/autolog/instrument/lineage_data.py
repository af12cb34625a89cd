"""What data is called that a metric was computed on, and which dataset it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

from autolog.instrument.lineage_memory import Memory, is_array, share_rows
from autolog.instrument.lineage_names import argument_name, variable_of
from autolog.instrument.lineage_records import (
    Given,
    RunRecord,
    Used,
    number_of,
)
from autolog.instrument.lineage_split import TEST, Part, part_of, sources_of
from autolog_core.limits import DATASET_NAME_LENGTH

if TYPE_CHECKING:
    from autolog_core.entities import Dataset

UNKNOWN = "unknown_dataset"
_FEATURES = ("X", "data")
_SOME_ROWS = "the model was trained on some of these rows"


class Origin(NamedTuple):
    """Where the data of a metric came from.

    Attributes:
        data: The features, or what stands for them; None if they are gone.
        memory: Where they lie, if they are a view of an array.
        part: Of which split they are.
    """

    data: Any
    memory: Memory | None
    part: Part | None


def origin_of(given: Given, others: Sequence[Any], data: Any = None) -> Origin:
    """Returns where the data came from that a model was given.

    Features that are gone are known again by the labels that they are compared with, if one split
    made both.

    Args:
        given: What the model was given.
        others: The other arguments of the metric.
        data: The same, where the caller has it.
    """
    data = _alive(given.data) if data is None else data
    if data is not None:
        memory = given.memory
        if memory is None and is_array(data):
            memory = Memory(data)
        return Origin(data, memory, part_of(data))
    for other in others:
        part = part_of(other, whole=True)
        features = None if part is None else _alive(part.features)
        if features is not None and features is not other:
            return Origin(features, None, part)
    return Origin(None, given.memory, None)


def name_of(
    given: Given, origin: Origin, others: Sequence[Any], frame: FrameType | None
) -> tuple[str, object]:
    """Returns the name of the data, and what tells whether data of one name are the same."""
    if given.name is None or given.name == UNKNOWN:
        given.name = next(_names(given, origin, others, frame), UNKNOWN)
        given.token = _token(given, origin)
    return given.name, given.token


def _names(
    given: Given, origin: Origin, others: Sequence[Any], frame: FrameType | None
) -> Iterator[str]:
    holders = [origin.data]
    if given.memory is not None:
        holders.append(given.memory.owner())
    for holder in holders:
        name = None if holder is None else variable_of(holder, frame)
        if name is not None:
            yield name
    if given.code is not None:
        name = argument_name(given.code, given.place, given.argument, _FEATURES, frame)
        if name is not None:
            yield name
    for other in others:
        name = variable_of(other, frame) if hasattr(other, "__len__") else None
        if name is not None and not isinstance(other, str):
            yield name


def _token(given: Given, origin: Origin) -> object:
    if origin.data is not None and (given.memory is None or _alive(given.data) is None):
        return number_of(origin.data)
    owner = None if given.memory is None else given.memory.owner()
    if given.memory is None or owner is None:
        return given.number
    # Views of the same values are the same data, each time that they are made.
    return number_of(owner), given.memory.address, given.memory.shape, given.memory.strides


def dataset_of_origin(
    given: Given,
    origin: Origin,
    rows: slice | None,
    others: Sequence[Any],
    record: RunRecord,
) -> Dataset | None:
    """Returns the reference to the data, or None if it is gone or of no kind that can be read.

    It is made once for what a model was given in one call: data can change in place.

    Args:
        given: What the model was given; it has its name.
        origin: Where that came from.
        rows: Those of them that the metric was computed on; None for all.
        others: The other arguments of the metric.
        record: Of the run, which knows the datasets of the training.
    """
    if given.datasets is None:
        given.datasets = {}
    key = repr(rows)
    if key not in given.datasets:
        given.datasets[key] = _dataset(given, origin, rows, others, record)
    return given.datasets[key]


def _dataset(
    given: Given,
    origin: Origin,
    rows: slice | None,
    others: Sequence[Any],
    record: RunRecord,
) -> Dataset | None:
    from autolog_core.data import dataset_of

    data = origin.data
    if data is None and origin.memory is not None:
        data = origin.memory.again()
    if data is None:
        return None
    if rows is not None:
        data = _rows(data, rows)
    name = None if given.name == UNKNOWN else (given.name or "")[:DATASET_NAME_LENGTH]
    for used in record.used:
        if rows is None and _alive(used.data) is origin.data:
            known = _if_unchanged(used, data, others)
            if known is not None:
                return known
    return None if data is None else dataset_of(data, name=name)


def _if_unchanged(used: Used, data: Any, others: Sequence[Any]) -> Dataset | None:
    """Returns the dataset of the training if the data are still what it was made of."""
    from autolog_core.data import dataset_of

    size = _size(data)
    for labels in (*(each for each in others if size and _size(each) == size), None):
        found = dataset_of(data, labels)
        if found is None or found.digest == used.dataset.digest:
            # A kind that cannot be read, such as a DMatrix, is known by being the same object.
            return used.dataset
    return None


def _size(data: Any) -> int:
    try:
        return 0 if isinstance(data, str) else len(data)
    except TypeError:
        return 0


def _rows(data: Any, rows: slice) -> Any:
    if hasattr(data, "iloc"):
        return data.iloc[rows]
    try:
        return data[rows]
    except Exception:
        # Data that cannot be sliced has no reference to some of its rows.
        return None


def notice_of(origin: Origin, record: RunRecord) -> str | None:
    """Returns what is amiss, in words, if the model certainly was trained on what it is tested on.

    A metric of the very data that was trained on is none: that is what one may want to know.

    Args:
        origin: Where the data came from.
        record: Of the run.
    """
    training = [used for used in record.used if used.context == "train"]
    trained = [data for used in training if (data := _alive(used.data)) is not None]
    same = any(origin.data is data for data in trained)
    if origin.part is not None and origin.part.half == TEST:
        if same:
            return "the model was trained on this test part"
        sources = list(sources_of(origin.part))
        if any(source is data for source in sources for data in trained):
            return "the model was trained on the data that this test part was split from"
    if same:
        return None
    if any(origin.data is source for data in trained for source in sources_of(part_of(data))):
        return _SOME_ROWS
    if origin.memory is None:
        return None
    lying = [used.memory for used in training if used.memory is not None]
    if any(origin.memory.place() == each.place() for each in lying):
        return None
    if any(share_rows(origin.memory, each) for each in lying):
        return _SOME_ROWS
    return None


def _alive(reference: Any) -> Any:
    return None if reference is None else reference()
