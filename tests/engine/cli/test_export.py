import csv
import io
import json
import math

import pytest


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_runs_as_csv(call, template):
    rows = table(call("runs", "export", "-e", "flowers", "-s", "params.lr").stdout)
    assert [row["run_id"] for row in rows] == [template.runs[n] for n in ("blue", "green", "red")]
    red = rows[2]
    assert red["name"] == "red"
    assert red["experiment"] == "flowers"
    assert red["start_time"] == "2023-11-14T22:13:20.000Z"
    assert float(red["metrics.val_loss"]) == 0.002
    assert red["params.data"] == "x" * 300
    assert red["tags.team"] == "vision"
    assert list(red)[:3] == ["run_id", "name", "experiment_id"]


def test_what_a_run_lacks_is_empty_in_csv(call):
    rows = table(call("runs", "export").stdout)
    assert len(rows) == 4
    assert rows[0]["name"] == "sunk \x1b[31m模"
    assert rows[0]["params.lr"] == ""


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_runs_as_json_are_whole(call, form):
    text = call("runs", "export", "params.lr = '0.1'", "-f", form).stdout
    runs = json.loads(text) if form == "json" else [json.loads(line) for line in text.splitlines()]
    assert [run["info"]["run_name"] for run in runs] == ["red"]
    assert runs[0]["data"]["metrics"]["gone"] == "Infinity"


def test_runs_as_parquet(call, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    target = tmp_path / "runs.parquet"
    result = call("runs", "export", "-o", str(target))
    assert result.stderr == f"4 runs written to {target}\n"
    read = parquet.read_table(target)
    assert str(read.schema.field("start_time").type) == "timestamp[ms, tz=UTC]"
    assert str(read.schema.field("metrics.val_loss").type) == "double"
    assert sorted(read["metrics.val_loss"].to_pylist(), key=lambda v: v or 0)[-1] == 0.002
    assert read["params.lr"].to_pylist()[0] is None


def test_histories_in_every_format_are_the_same(call, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    arguments = ["runs", "export", "run_name = 'red'", "--history"]
    points = table(call(*arguments).stdout)
    assert len(points) == 50 + 2 + 1 + 1
    keyed = [(p["key"], int(p["step"]), float(p["value"])) for p in points]
    assert ("val_loss", 1, 0.05) in keyed
    lines = call(*arguments, "-f", "jsonl").stdout.splitlines()
    assert [(p["key"], p["step"], float(p["value"])) for p in map(json.loads, lines)] == [
        (key, step, pytest.approx(value, nan_ok=True)) for key, step, value in keyed
    ]
    target = tmp_path / "h.pq"
    call(*arguments, "-o", str(target))
    read = parquet.read_table(target).to_pydict()
    assert list(zip(read["key"], read["step"], strict=True)) == [point[:2] for point in keyed]
    assert sum(math.isnan(value) for value in read["value"]) == 1


def test_history_of_one_metric(call):
    points = table(call("runs", "export", "--history", "-m", "test_accuracy").stdout)
    assert sorted(float(point["value"]) for point in points) == [0.5, 0.6, 0.7]
    assert call("runs", "export", "-m", "x").exit_code == 2


def test_the_name_of_the_file_decides_on_the_format(call, tmp_path):
    target = tmp_path / "runs.json"
    call("runs", "export", "-o", str(target))
    assert len(json.loads(target.read_text())) == 4


def test_a_wrong_filter_leaves_the_old_file(call, tmp_path):
    target = tmp_path / "runs.csv"
    target.write_text("before")
    result = call("runs", "export", "params.lr <> 3", "-o", str(target))
    assert result.exit_code == 1
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]


@pytest.mark.parametrize(("name", "told"), [("absent/x.csv", "does not exist"), (".", "a folder")])
def test_a_wrong_target_is_told(call, tmp_path, name, told):
    result = call("runs", "export", "-o", str(tmp_path / name))
    assert result.exit_code == 1
    assert told in result.stderr


def test_nothing_to_export_is_a_heading(call):
    assert table(call("runs", "export", "params.lr = 'x'").stdout) == []
    assert json.loads(call("runs", "export", "params.lr = 'x'", "-f", "json").stdout) == []
