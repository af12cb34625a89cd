"""What is appended is what is read, whatever is appended and however it is cut short."""

import math
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autolog_core.entities import (
    CONTEXT_TAG,
    Dataset,
    DatasetInput,
    InputTag,
    Metric,
    Param,
    RunTag,
)
from autolog_core.errors import CorruptJournal, InvalidArgument, StorageError
from autolog_core.journal.format import CREATE_RUN, FIELD, HEADER_SIZE, METRIC_SIZE
from autolog_core.journal.reader import SegmentReader
from autolog_core.journal.segment import open_segment
from autolog_core.journal.writer import FIRST_SIZE, JournalWriter, SeriesTable
from autolog_core.live import LiveRun
from autolog_core.stores.operations import (
    AppendMetrics,
    CreateRun,
    DeleteTag,
    LogInputs,
    LogParams,
    Operation,
    SetTags,
    UpdateRun,
)

KEYS = st.sampled_from(["loss", "val/loss", "acc 1", "é"])
INT64 = st.integers(-(2**63), 2**63 - 1)
TIMES = st.integers(1, 2**63 - 1)
FLOATS = st.floats(width=64)
LINKS = st.sampled_from([(None, None, None), ("m-1", None, None), ("m-1", "train", "d1")])
POINT = st.tuples(st.just("point"), KEYS, FLOATS, INT64, TIMES, LINKS)
MANY = st.tuples(st.just("many"), st.dictionaries(KEYS, FLOATS, min_size=1), INT64, TIMES)
BATCH = st.tuples(
    st.just("batch"), st.lists(st.tuples(KEYS, FLOATS, TIMES, INT64, LINKS), max_size=20)
)
TAG = st.tuples(
    st.just("tag"),
    KEYS,
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50),
)
CALLS = st.lists(st.one_of(POINT, MANY, BATCH, TAG), max_size=60)


@pytest.fixture
def writer(tmp_path: Path):
    made = JournalWriter(tmp_path / "spool", lambda: None)
    yield made
    made.discard()


def live_run(writer: JournalWriter, run_id: str = "run1") -> LiveRun:
    return LiveRun(
        lambda: writer,
        run_id=run_id,
        experiment_id="0",
        name="n",
        artifact_uri="u",
        start_time=1,
        user_id=None,
    )


def read_all(folder: Path, check: bool = True) -> list[Operation]:
    found: list[Operation] = []
    for path in sorted(folder.glob("*.segment")):
        segment = open_segment(path)
        reader = SegmentReader(segment, check)
        while True:
            before = reader.offset
            batch = reader.read()
            found += batch.operations
            if batch.done or reader.offset == before:
                break
        reader.close()
        segment.close()
    return found


def points(operations: list[Operation]) -> list[tuple[object, ...]]:
    """Points in the order of their series, values as bits so that NaN compares."""
    return [
        (o.key, o.model_id, o.dataset_name, o.dataset_digest, step, time, struct.pack("=d", value))
        for o in operations
        if isinstance(o, AppendMetrics)
        for step, time, value in zip(
            o.steps.tolist(), o.timestamps.tolist(), o.values.tolist(), strict=True
        )
    ]


def by_series(rows: list[tuple[object, ...]]) -> dict[tuple[object, ...], list[tuple[object, ...]]]:
    grouped: dict[tuple[object, ...], list[tuple[object, ...]]] = {}
    for row in rows:
        grouped.setdefault(row[:4], []).append(row[4:])
    return grouped


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(calls=CALLS, check=st.booleans())
def test_every_accepted_call_is_read_back_in_order(tmp_path_factory, calls, check):
    folder = tmp_path_factory.mktemp("spool")
    writer = JournalWriter(folder, lambda: None)
    run = live_run(writer)
    wanted: list[tuple[object, ...]] = []
    tags: list[tuple[str, str]] = []
    for call in calls:
        if call[0] == "point":
            _, key, value, step, time, link = call
            run.log_metric(key, value, step, time, *link)
            wanted.append((key, *link, step, time, struct.pack("=d", value)))
        elif call[0] == "many":
            _, values, step, time = call
            run.log_metrics(values, step, time)
            wanted += [
                (key, None, None, None, step, time, struct.pack("=d", value))
                for key, value in values.items()
            ]
        elif call[0] == "batch":
            run.log_batch([Metric(k, v, t, s, *link) for k, v, t, s, link in call[1]])
            wanted += [(k, *link, s, t, struct.pack("=d", v)) for k, v, t, s, link in call[1]]
        else:
            run.set_tags({call[1]: call[2]})
            tags.append((call[1], call[2]))
    found = read_all(writer.folder, check)
    assert by_series(points(found)) == by_series(wanted)
    assert [pair for o in found if isinstance(o, SetTags) for pair in o.tags] == tags
    writer.discard()


@settings(max_examples=60, deadline=None)
@given(
    calls=st.lists(st.sampled_from(["point", "many", "tag", "look"]), min_size=1, max_size=80),
    chosen=st.integers(0, 100),
)
def test_a_replay_goes_on_where_the_store_is(tmp_path_factory, calls, chosen):
    """Whatever position a store holds, replay yields just what comes after it."""
    writer = JournalWriter(tmp_path_factory.mktemp("spool"), lambda: None)
    run = live_run(writer)
    looks = [(writer.written()[1], 0)]
    for step, call in enumerate(calls):
        if call == "point":
            run.log_metric("a", 1.0, step, 1)
        elif call == "many":
            run.log_metrics({"a": 1.0, "b": 2.0}, step, 1)
        elif call == "tag":
            run.set_tags({"t": str(step)})
        else:
            looks.append((writer.written()[1], step))
    position, first = looks[chosen % len(looks)]
    segment = open_segment(next(writer.folder.glob("*.segment")))
    reader = SegmentReader(segment, check=True)
    found: list[Operation] = []
    while True:
        at = reader.offset
        found += reader.read(position).operations
        if reader.offset == at:
            break
    after = [(n, c) for n, c in enumerate(calls) if n >= first]
    assert [row[4] for row in points(found) if row[0] == "a"] == [
        n for n, c in after if c in ("point", "many")
    ]
    assert [o.tags[0][1] for o in found if isinstance(o, SetTags)] == [
        str(n) for n, c in after if c == "tag"
    ]
    reader.close()
    segment.close()
    writer.discard()


def test_all_kinds_of_records(writer):
    run = live_run(writer)
    data = Dataset("iris", "abc", "code", "{}", None, '{"num_rows": 3}')
    fields = ["run1", "7", "name", "", "5", "/a", "RUNNING", "1", "k", "v"]
    writer.append(CREATE_RUN, 5, FIELD.join(fields))
    run.log_params({"lr": 0.1, "layers": [1, 2]})
    run.log_batch(params=[Param("p", "")], tags=[RunTag("t", "1")])
    run.delete_tag("t")
    run.log_inputs([DatasetInput(data, (InputTag(CONTEXT_TAG, "train"),))])
    run.update(name="other")
    run.end("FAILED", 99)
    assert read_all(writer.folder) == [
        CreateRun("run1", "7", "name", None, 5, "/a", (("k", "v"),), "RUNNING", True),
        LogParams("run1", (("lr", "0.1"), ("layers", "[1, 2]"))),
        LogParams("run1", (("p", ""),)),
        SetTags("run1", (("t", "1"),)),
        DeleteTag("run1", "t"),
        LogInputs("run1", (DatasetInput(data, (InputTag(CONTEXT_TAG, "train"),)),)),
        UpdateRun("run1", None, None, "other"),
        UpdateRun("run1", "FAILED", 99),
    ]


def test_segments_roll_and_define_their_series_anew(writer):
    run = live_run(writer)
    count = 3 * FIRST_SIZE // METRIC_SIZE
    for step in range(count):
        run.log_metric("loss", step / 2, step, 1000 + step)
        if step % 1000 == 0:
            writer.prepare_spare()
    assert len(list(writer.folder.glob("*.segment"))) > 1
    rows = points(read_all(writer.folder))
    assert [row[4] for row in rows] == list(range(count))


def test_a_record_larger_than_a_segment(writer):
    run = live_run(writer)
    values = np.random.default_rng(0).normal(size=200_000)
    steps = np.arange(len(values))
    run.append_series("x", steps, steps + 1, values)
    run.log_metric("x", math.nan, 7, 8)
    found = read_all(writer.folder)
    joined = np.concatenate([o.values for o in found if isinstance(o, AppendMetrics)])
    assert np.array_equal(joined[:-1], values)
    assert math.isnan(joined[-1])


@pytest.mark.parametrize("cut", [0, 3, 8, 17, 39])
def test_a_record_without_its_commit_word_is_not_there(writer, cut):
    """What a process leaves that dies while it writes: payload bytes, but no commit word."""
    run = live_run(writer)
    run.log_metric("loss", 1.0, 1, 1)
    _, end = writer.written()
    offset = end & 0xFFFFFFFF
    writer.mapping[offset + 8 : offset + 8 + cut] = b"x" * cut
    assert [row[4] for row in points(read_all(writer.folder))] == [1]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_anywhere_keeps_all_before_it(tmp_path_factory, data):
    writer = JournalWriter(tmp_path_factory.mktemp("spool"), lambda: None)
    run = live_run(writer)
    for step in range(50):
        run.log_metric("a" if step % 3 else "b", 1.0, step, 1000)
        if step % 7 == 0:
            run.set_tags({"t": str(step)})
    _, end = writer.written()
    offset = data.draw(st.integers(HEADER_SIZE, (end & 0xFFFFFFFF) - 1))
    bit = data.draw(st.integers(0, 7))
    before = points(read_all(writer.folder))
    writer.mapping[offset] ^= 1 << bit
    path = next(writer.folder.glob("*.segment"))
    segment = open_segment(path)
    reader = SegmentReader(segment, check=True)
    found: list[Operation] = []
    damaged = False
    try:
        while True:
            at = reader.offset
            found += reader.read().operations
            if reader.offset == at:
                break
    except CorruptJournal:
        damaged = True
    got = by_series(points(found))
    for series, rows in got.items():
        assert rows == by_series(before)[series][: len(rows)]
    # A flip in padding harms nothing; all else is told, and told at its place.
    assert damaged or got == by_series(before)
    if damaged:
        assert reader.offset <= offset < reader.offset + 200
    reader.close()
    segment.close()
    writer.discard()


@pytest.mark.parametrize("content", [b"", b"x" * 63, b"\0" * 4096, b"AUTOLOGJ" + b"\xff" * 4088])
def test_a_file_that_is_no_segment(tmp_path, content):
    path = tmp_path / "00000001.1.segment"
    path.write_bytes(content)
    with pytest.raises(CorruptJournal, match="segment"):
        open_segment(path)


@pytest.mark.parametrize(
    "call",
    [
        lambda run: run.log_metric("", 1.0),
        lambda run: run.log_metric("a" * 251, 1.0),
        lambda run: run.log_metric("../a", 1.0),
        lambda run: run.log_metric(["a"], 1.0),
        lambda run: run.log_metric("a", "1.0"),
        lambda run: run.log_metric("a", [1.0, 2.0]),
        lambda run: run.log_metric("a", None),
        lambda run: run.log_metric("a", 1.0, 0.5),
        lambda run: run.log_metric("a", 1.0, 2**63),
        lambda run: run.log_metric("a", 1.0, 0, -1),
        lambda run: run.log_metrics({"a": 1.0, "b": "x"}),
        lambda run: run.log_metrics({"a": 1.0, "b//c": 1.0}),
        lambda run: run.log_batch([Metric("a", 1.0, 1, 0), Metric("a", "x", 1, 0)]),
        lambda run: run.log_batch([Metric("a", 1.0, 1, 0), Metric("a", 1.0, -1, 0)]),
        lambda run: run.log_batch([Metric("a", 1.0, 1, 0)], [Param("p", "x" * 6001)]),
        lambda run: run.log_batch([Metric("a", 1.0, 1, 0)], [], [RunTag("t", "a\0b")]),
        lambda run: run.log_batch([], [Param("p", "1"), Param("p", "2")]),
        lambda run: run.append_series("a", [1, 2], [1], [1.0]),
        lambda run: run.append_series("a", [0.5], [1], [1.0]),
        lambda run: run.append_series("a", np.array([0.5]), np.array([1]), np.array([1.0])),
        lambda run: run.log_params({"a": 1, "b": "x" * 6001}),
        lambda run: run.set_tags({"a": 1, "b": "\ud800"}),
        lambda run: run.end("BOGUS"),
        lambda run: run.log_inputs([DatasetInput(Dataset("n" * 501, "d", "code", "{}"))]),
    ],
)
def test_bad_input_is_refused_whole(writer, call):
    run = live_run(writer)
    with pytest.raises(InvalidArgument):
        call(run)
    assert read_all(writer.folder) == []


def test_a_changed_param_is_refused_and_the_same_is_not(writer):
    run = live_run(writer)
    run.log_params({"a": 1})
    run.log_params({"a": "1"})
    run.log_param("a", 1)
    with pytest.raises(InvalidArgument, match="written once"):
        run.log_params({"b": 1, "a": 2})
    with pytest.raises(InvalidArgument, match="written once"):
        run.log_param("a", 2)
    assert read_all(writer.folder) == [LogParams("run1", (("a", "1"),))]


def test_logging_from_within_logging_keeps_both(writer):
    """A finalizer or signal handler may log in the middle of a call of its own thread."""
    run = live_run(writer)
    other = SeriesTable("run1")

    class Loud(float):
        def __float__(self) -> float:
            writer.append_metric(other, "inner", 0, 1, 2.0)
            return 1.0

    with writer._lock:
        run.log_metric("outer", Loud(), 0, 1)
    assert sorted(row[0] for row in points(read_all(writer.folder))) == ["inner", "outer"]


def test_a_closed_journal_says_so(tmp_path):
    writer = JournalWriter(tmp_path / "spool", lambda: None)
    run = live_run(writer)
    writer.abandon()
    with pytest.raises(StorageError, match="closed"):
        run.log_metric("a", 1.0)


def test_a_folder_that_cannot_be_written(tmp_path):
    if os.geteuid() == 0:
        place = Path("/proc/autolog")
    else:
        place = tmp_path / "locked"
        place.mkdir(mode=0o500)
    with pytest.raises(StorageError, match="cannot be"):
        JournalWriter(place, lambda: None)
