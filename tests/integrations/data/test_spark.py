"""References to Spark frames: told without a job, and the same in another process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import autolog
from autolog import data
from autolog_core.data import DatasetSource, dataset_of
from autolog_core.errors import InvalidArgument

sql = pytest.importorskip("pyspark.sql")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark runs on Java"),
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    # Sockets of py4j are closed when they are collected.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


def start(folder: Path) -> Any:
    return (
        sql.SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .getOrCreate()
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spark")


@pytest.fixture(scope="module")
def spark(folder: Path) -> Iterator[Any]:
    session = start(folder)
    session.sparkContext.setLogLevel("OFF")
    (folder / "a.csv").write_text("x,y\n1,a\n2,b\n")
    session.range(10).selectExpr("id", "id * 2 AS twice").write.parquet(str(folder / "numbers"))
    yield session
    session.stop()


def frames(spark: Any, folder: Path) -> dict[str, Any]:
    numbers = spark.read.parquet(str(folder / "numbers"))
    first, second = numbers.randomSplit([0.8, 0.2], seed=1)
    sums = [f"id + {number} AS c{number}" for number in range(40)]
    return {
        "numbers": numbers,
        "fewer": numbers.filter("id > 3"),
        "fewer still": numbers.filter("id > 4"),
        "more columns": numbers.selectExpr("*", "twice + 1 AS odd"),
        "first": first,
        "second": second,
        "wide": numbers.selectExpr(*sums),
        "wide, changed late": numbers.selectExpr(*sums[:-1], "id - 39 AS c39"),
        "joined": numbers.join(spark.range(3), "id"),
        "lines": spark.read.option("header", True).csv(str(folder / "a.csv")),
        "range": spark.range(5),
        "longer range": spark.range(6),
    }


def text_of(frame: Any) -> str:
    return data.from_spark(frame).digest


def test_no_job_is_run_and_frames_are_told_apart(spark: Any, folder: Path) -> None:
    made = frames(spark, folder)
    jobs = spark.sparkContext.statusTracker().getJobIdsForGroup(None)
    found = {name: data.from_spark(frame).to_dict() for name, frame in made.items()}
    assert spark.sparkContext.statusTracker().getJobIdsForGroup(None) == jobs
    assert len({each["digest"] for each in found.values()}) == len(found)
    profile = json.loads(found["numbers"]["profile"])
    assert profile == {"num_columns": 2, "num_files": 1, "digest_of": "plan"}
    again = frames(spark, folder)
    assert {name: text_of(frame) for name, frame in again.items()} == {
        name: each["digest"] for name, each in found.items()
    }
    record = dataset_of(made["numbers"])
    assert record is not None
    assert record.digest == found["numbers"]["digest"]


PROGRAM = """
import json, sys
from pathlib import Path
from tests.integrations.data.test_spark import frames, start, text_of
folder = Path(sys.argv[1])
spark = start(folder / "other")
found = {name: text_of(frame) for name, frame in frames(spark, folder).items()}
(folder / "found.json").write_text(json.dumps(found))
spark.stop()
"""


def test_digests_are_the_same_in_another_process(spark: Any, folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        cwd=Path(__file__).parents[3],
        check=True,
        capture_output=True,
    )
    other = json.loads((folder / "found.json").read_text())
    assert other == {name: text_of(frame) for name, frame in frames(spark, folder).items()}


def test_files_count_by_path_and_size(spark: Any, folder: Path) -> None:
    file = folder / "b.csv"
    digests = []
    for text in ("x\n1\n", "x\n1\n2\n"):
        file.write_text(text)
        digests.append(text_of(spark.read.option("header", True).csv(str(file))))
    (folder / "c.csv").write_text(text)
    digests.append(text_of(spark.read.option("header", True).csv(str(folder / "c.csv"))))
    assert len(set(digests)) == 3


def test_data_in_memory_count(spark: Any) -> None:
    rows = [spark.createDataFrame([(1, "a"), (2, last)], ["k", "v"]) for last in "bc"]
    assert text_of(rows[0]) != text_of(rows[1])
    assert text_of(rows[0]) == text_of(rows[0])
    local = [spark.sql(f"SELECT * FROM VALUES (1), ({last}) AS t(x)") for last in (2, 3)]
    assert text_of(local[0]) != text_of(local[1])


def test_the_schema(spark: Any) -> None:
    frame = spark.sql(
        "SELECT 1 AS i, 1L AS l, 1.5D AS d, 'a' AS s, true AS b, X'00' AS raw, "
        "timestamp'2024-01-01' AS t, array(1, 2) AS many, map('a', 1) AS named, "
        "named_struct('x', array('a')) AS record, 1.5 AS price, map(1, 1) AS numbered"
    )
    made = data.from_spark(frame)
    assert made.schema is not None
    found = {entry.pop("name"): entry for entry in made.schema["mlflow_colspec"]}
    assert all(entry.pop("required") for entry in found.values())
    strings = {"type": "array", "items": {"type": "string"}, "required": True}
    assert found == {
        "i": {"type": "integer"},
        "l": {"type": "long"},
        "d": {"type": "double"},
        "s": {"type": "string"},
        "b": {"type": "boolean"},
        "raw": {"type": "binary"},
        "t": {"type": "datetime"},
        "many": {"type": "array", "items": {"type": "integer"}},
        "named": {"type": "map", "values": {"type": "integer"}},
        "record": {"type": "object", "properties": {"x": strings}},
        "price": {"type": "any"},
        "numbered": {"type": "any"},
    }


def test_sources(spark: Any, folder: Path) -> None:
    frame = spark.range(3)
    log = folder / "delta" / "_delta_log"
    log.mkdir(parents=True)
    for version in (0, 1, 12):
        (log / f"{version:020}.json").write_text("{}")
    (log / "_last_checkpoint").write_text("{}")
    delta = str(folder / "delta")
    plain = str(folder / "numbers")
    cases: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
        ({"path": plain}, "spark", {"path": plain}),
        ({"table_name": "main.t"}, "spark", {"table_name": "main.t"}),
        ({"sql": "SELECT 1"}, "spark", {"sql": "SELECT 1"}),
        ({"path": delta}, "delta_table", {"path": delta, "delta_table_version": 12}),
        (
            {"path": "s3://bucket/t", "version": "3"},
            "delta_table",
            {"path": "s3://bucket/t", "delta_table_version": "3"},
        ),
        (
            {"table_name": "main.t", "version": 3},
            "delta_table",
            {"delta_table_name": "main.t", "delta_table_version": 3},
        ),
    ]
    for arguments, kind, fields in cases:
        assert data.from_spark(frame, **arguments).source == DatasetSource(kind, fields)
    assert data.from_spark(frame).source.source_type == "code"
    for arguments, message in (
        ({"path": "a", "sql": "b"}, "path, sql"),
        ({"version": 3}, "version"),
        ({"sql": "SELECT 1", "version": 3}, "version"),
        ({"path": plain, "version": 3}, "no Delta table"),
        ({"targets": "nothing"}, "'nothing'.*'id'"),
        ({"predictions": "nothing"}, "'nothing'"),
    ):
        with pytest.raises(InvalidArgument, match=message):
            data.from_spark(frame, **arguments)


def test_a_stream_is_not_started(spark: Any) -> None:
    stream = spark.readStream.format("rate").load()
    made = data.from_spark(stream)
    assert made.profile["digest_of"] == "plan"
    assert spark.streams.active == []


def test_runs_keep_them(spark: Any, folder: Path, tracking: Path) -> None:
    frame = spark.read.parquet(str(folder / "numbers"))
    made = data.from_spark(frame, targets="twice", name="numbers", digest="v1")
    assert (made.df, made.targets, made.digest) == (frame, "twice", "v1")
    assert made.profile == {"num_columns": 2, "num_files": 1}
    with autolog.start_run() as run:
        autolog.log_input(made, context="training")
        autolog.log_metric("loss", 0.5, dataset=made)
    (use,) = autolog.get_run(run.info.run_id).inputs.dataset_inputs
    assert use.dataset == made.to_entity()
