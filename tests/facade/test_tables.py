"""Tables: rows appended by many, loaded over runs."""

import json
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autolog
from autolog import _tables, artifacts
from autolog.exceptions import CorruptStore, InvalidArgument, NotFound

pytestmark = pytest.mark.usefixtures("tracking")


@pytest.fixture
def run(tracking):
    # A run made by a client: nothing is captured around it, so it has no artifacts of its own.
    made = autolog.MlflowClient().create_run("0")
    with autolog.start_run(made.info.run_id) as active:
        yield active


def entries(run):
    return json.loads(run.data.tags["mlflow.loggedArtifacts"])


@pytest.mark.parametrize("name", ["t.json", "deep/t.json", "t.parquet"])
def test_rows_are_appended(run, name):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    autolog.log_table({"q": ["a", "b"], "score": [0.1, 0.25]}, name)
    autolog.log_table(pd.DataFrame({"q": ["c"], "score": [1 / 3]}), name)
    frame = autolog.load_table(name)
    assert frame.to_dict("list") == {"q": ["a", "b", "c"], "score": [0.1, 0.25, 1 / 3]}
    assert entries(run) == [{"path": name, "type": "table"}]


def test_single_values_make_a_row(run):
    autolog.log_table({"q": "a", "n": 1}, "t.json")
    assert autolog.load_table("t.json").to_dict("records") == [{"q": "a", "n": 1}]


def test_text_that_looks_like_numbers_and_dates_stays_text(run):
    rows = {"code": ["001", "1e5"], "date": ["2020-01-01", "x"]}
    for _ in range(2):
        autolog.log_table(rows, "t.json")
    assert autolog.load_table("t.json").code.tolist() == ["001", "1e5"] * 2
    assert autolog.load_table("t.json").date.tolist() == ["2020-01-01", "x"] * 2


def test_columns_may_differ(run):
    autolog.log_table({"a": [1]}, "t.json")
    autolog.log_table({"b": ["x"]}, "t.json")
    frame = autolog.load_table("t.json")
    assert list(frame) == ["a", "b"]
    assert frame.a.isna().tolist() == [False, True]
    assert frame.b.isna().tolist() == [True, False]


def test_file_is_what_mlflow_reads(run):
    autolog.log_table({"a": [1, 2], "b": ["x", None]}, "t.json")
    text = artifacts.load_text(f"runs:/{run.info.run_id}/t.json")
    assert json.loads(text) == {"columns": ["a", "b"], "data": [[1, "x"], [2, None]]}


def test_cells_of_all_kinds_are_kept_as_json_has_them(run):
    cells = {
        "c": [
            float("nan"),
            float("inf"),
            None,
            pd.NaT,
            pd.NA,
            np.int64(3),
            np.array([1, 2]),
            {"k": (1, float("nan"))},
            datetime(2024, 1, 2, 3),
            True,
            1e-17,
            print,
        ]
    }
    autolog.log_table(pd.DataFrame(cells, dtype=object), "t.json")
    found = [row[0] for row in artifacts.load_dict(f"runs:/{run.info.run_id}/t.json")["data"]]
    assert found[:11] == [
        None, None, None, None, None, 3, [1, 2], {"k": [1, None]}, "2024-01-02T03:00:00", True,
        1e-17,
    ]  # fmt: skip
    assert found[11] == str(print)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "text": st.text(max_size=5),
                "number": st.floats(allow_nan=False, allow_infinity=False),
                "whole": st.integers(-(2**53), 2**53),
            }
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(0, 8),
)
def test_appended_parts_are_the_whole(rows, at):
    def frame(part):
        return pd.DataFrame(part, columns=["text", "number", "whole"])

    parts = _tables.append_json(frame(rows[at:]), _tables.append_json(frame(rows[:at]), None))
    assert parts == _tables.append_json(frame(rows), None)
    found = json.loads(parts)["data"]
    assert found == [[row["text"], row["number"], row["whole"]] for row in rows]


def test_threads_lose_no_row(run):
    run_id = run.info.run_id

    def work(number):
        for step in range(5):
            autolog.log_table({"n": [number], "s": [step]}, "t.json", run_id=run_id)
            autolog.log_table({"n": [number]}, f"t{number}.json", run_id=run_id)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    rows = autolog.load_table("t.json").values.tolist()
    assert sorted(map(tuple, rows)) == [(n, s) for n in range(6) for s in range(5)]
    assert {entry["path"] for entry in entries(run)} == {
        "t.json",
        *(f"t{number}.json" for number in range(6)),
    }


def test_processes_lose_no_row_and_no_table(run):
    program = (
        "import autolog, sys\n"
        "run_id, number = sys.argv[1:]\n"
        "for step in range(5):\n"
        "    autolog.log_table({'n': [int(number)], 's': [step]}, 't.json', run_id=run_id)\n"
        "autolog.log_table({'n': [1]}, f't{number}.json', run_id=run_id)\n"
    )
    autolog.flush_async_logging()
    workers = [
        subprocess.Popen([sys.executable, "-c", program, run.info.run_id, str(number)])
        for number in range(3)
    ]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    rows = autolog.load_table("t.json").values.tolist()
    assert sorted(map(tuple, rows)) == [(n, s) for n in range(3) for s in range(5)]
    assert {entry["path"] for entry in entries(run)} == {
        "t.json",
        "t0.json",
        "t1.json",
        "t2.json",
    }


def test_load_over_runs_with_columns_of_the_run(tracking):
    made = []
    for number in range(3):
        with autolog.start_run(run_name=f"r{number}") as run:
            autolog.log_param("p", number)
            if number < 2:
                autolog.log_table({"n": [number], "run_id": ["taken"]}, "t.json")
        made.append(run.info.run_id)
    frame = autolog.load_table("t.json", extra_columns=["run_id", "params.p"])
    assert sorted(frame.n.tolist()) == [0, 1]
    by_number = frame.set_index("n")
    assert by_number.run_id_.to_dict() == {0: made[0], 1: made[1]}
    assert by_number["params.p"].to_dict() == {0: "0", 1: "1"}
    assert autolog.load_table("t.json", run_ids=[made[1]]).n.tolist() == [1]
    client = autolog.MlflowClient()
    assert len(client.load_table("0", "t.json", run_ids=made)) == 2
    for arguments in ({"run_ids": [made[2]]}, {"artifact_file": "absent.json"}):
        with pytest.raises(NotFound, match="table"):
            autolog.load_table(**{"artifact_file": "t.json", **arguments})
    with pytest.raises(InvalidArgument, match="colour"):
        autolog.load_table("t.json", extra_columns=["colour"])


def test_images_in_a_table(run):
    image_module = pytest.importorskip("PIL.Image")
    red = image_module.new("RGB", (4, 4), (255, 0, 0))
    autolog.log_table({"i": [red, autolog.Image([[1]])], "n": [1, 2]}, "d/t.json")
    cells = autolog.load_table("d/t.json").i.tolist()
    for cell, size in zip(cells, [(4, 4), (1, 1)], strict=True):
        assert cell["type"] == "image"
        assert cell["filepath"].startswith("table_images/d/t/")
        root = run.info.artifact_uri
        assert artifacts.load_image(f"{root}/{cell['filepath']}").size == size
        assert artifacts.load_image(f"{root}/{cell['compressed_filepath']}").format == "WEBP"
    with pytest.raises(InvalidArgument, match="mixes"):
        autolog.log_table({"i": [red, "text"]}, "d/t.json")
    assert len(autolog.load_table("d/t.json")) == 2


def test_bad_tables_change_nothing(run):
    autolog.log_table({"a": [1]}, "t.json")
    for data, name in (
        ([1, 2], "t.json"),
        ("text", "t.json"),
        ({"a": [1]}, "t.csv"),
        ({"a": [1]}, "../t.json"),
    ):
        with pytest.raises(InvalidArgument):
            autolog.log_table(data, name)
    assert len(autolog.load_table("t.json")) == 1
    for broken in ("{", '{"columns": ["a"], "data": [[1, 2]]}', "[]", '{"columns": 1, "data": 2}'):
        autolog.log_text(broken, "t.json")
        with pytest.raises(CorruptStore, match="no table"):
            autolog.log_table({"a": [2]}, "t.json")
        with pytest.raises(CorruptStore, match="no table"):
            autolog.load_table("t.json")


def test_numbers_survive_to_the_bit(run):
    values = [0.1, 1 / 3, math.pi * 1e-300, 2.0**60]
    autolog.log_table({"v": values}, "t.json")
    assert autolog.load_table("t.json").v.tolist() == values
