import pytest

from autolog_core.cli.render.columns import (
    Field,
    best_direction,
    choose_metrics,
    choose_params,
    differing,
)
from autolog_core.cli.render.compare_view import blocks, compare_table
from autolog_core.cli.render.run_table import run_table, short_ids
from autolog_core.cli.render.tables import fit, to_tsv
from autolog_core.entities import MetricSummary, Run, RunData, RunInfo

NOW = 1_700_000_100_000


def run(run_id, params=(), metrics=(), summaries=(), tags=(), **info):
    fields = {
        "experiment_id": "1",
        "run_name": f"name-{run_id}",
        "user_id": None,
        "status": "FINISHED",
        "start_time": NOW - 60_000,
        "end_time": NOW - 50_000,
        "artifact_uri": None,
    }
    data = RunData(dict(metrics), dict(params), dict(tags), dict(summaries))
    return Run(RunInfo(run_id, **{**fields, **info}), data)


def keys(fields):
    return [field.key for field in fields]


def test_params_that_differ_get_a_column():
    runs = [
        run("a", {"lr": "0.1", "depth": "4", "seed": "1", "path": "/a" * 30}),
        run("b", {"lr": "0.2", "depth": "4", "seed": "2", "path": "/b" * 30}),
        run("c", {"lr": "0.2", "depth": "4", "seed": "3", "path": "/c" * 30, "extra": "1"}),
    ]
    assert keys(choose_params(runs, 9)) == ["lr", "extra", "seed", "path"]
    assert keys(choose_params(runs[:1], 2)) == ["depth", "lr"]


def test_metrics_of_evaluation_that_spread_come_first():
    runs = [
        run("a", metrics={"train_loss": 1.0, "val_loss": 1.0, "val_acc": 0.9, "system/cpu": 1.0}),
        run("b", metrics={"train_loss": 9.0, "val_loss": 4.0, "val_acc": 0.8, "system/cpu": 9.0}),
    ]
    assert keys(choose_metrics(runs, 3)) == ["val_loss", "val_acc", "train_loss"]
    assert keys(choose_metrics(runs, 1)) == ["val_loss"]


def test_nan_is_the_same_as_nan_and_absence_is_a_difference():
    runs = [run("a", metrics={"x": float("nan"), "y": 1.0}), run("b", metrics={"x": float("nan")})]
    assert differing(runs, "metrics") == ["y"]


@pytest.mark.parametrize(
    ("key", "direction"),
    [
        ("val_loss", "min"),
        ("train-logloss", "min"),
        ("mean_squared_error", "min"),
        ("neg_mean_squared_error", "max"),
        ("training_accuracy_score", "max"),
        ("test/f1", "max"),
        ("epoch_time", None),
        ("classes", None),
    ],
)
def test_what_is_better_is_read_from_the_name(key, direction):
    assert best_direction(key) == direction


def test_ids_are_as_short_as_they_can_be_told_apart():
    assert short_ids(["a" * 32, "b" * 32]) == {"a" * 32: "a" * 8, "b" * 32: "b" * 8}
    assert set(short_ids(["a" * 10 + "x", "a" * 10 + "y"]).values()) == {
        "a" * 10 + "x",
        "a" * 10 + "y",
    }


def test_a_narrow_terminal_keeps_one_metric_and_one_param():
    runs = [
        run(char * 32, {"lr": char, "wd": char}, {"val_loss": ord(char), "val_acc": 0.5})
        for char in "abc"
    ]
    fields = choose_metrics(runs, 2) + choose_params(runs, 2)
    fitted = fit(run_table(runs, NOW, fields, experiments={"1": "x" * 60}), 80)
    heading = fitted.text.plain.split("\n")[0].split()
    assert heading == ["ID", "NAME", "EXPERIMENT", "STATUS", "STARTED", "TOOK", "val_loss", "lr"]
    assert fitted.dropped == ("val_acc", "wd")


def test_a_pipe_gets_whole_ids_and_values():
    runs = [run("a" * 32, metrics={"m": 1 / 3}, status="RUNNING", end_time=None)]
    lines = to_tsv(run_table(runs, NOW, [Field("metrics", "m")])).split("\n")
    assert lines[0] == "run_id\tname\tstatus\tstart_time\tduration_s\tmetrics.m"
    cells = lines[1].split("\t")
    assert (cells[0], cells[2], cells[4], cells[5]) == (
        "a" * 32,
        "RUNNING",
        "60.000",
        "0.3333333333333333",
    )


def summary(key, low, high, last):
    return MetricSummary(key, last, NOW, 9, low, 1, high, 2, 10)


def compared(runs, **options):
    table = compare_table(runs, NOW, **options)
    return {row[0].shown: [cell.shown for cell in row[1:]] for row in table.rows}


def test_comparison_shows_what_differs_and_marks_the_best():
    runs = [
        run("a", {"lr": "1", "same": "1"}, {"loss": 3.0, "acc": 0.1, "time": 5.0}),
        run("b", {"lr": "2", "same": "1"}, {"loss": 2.0, "acc": 0.2, "time": 6.0}),
        run("c", {"lr": "2", "same": "1"}, {"loss": float("nan")}),
    ]
    rows = compared(runs)
    assert rows["lr"] == ["1", "2", "2"]
    assert "same" not in rows
    assert rows["loss"] == ["3", "2 *", "NaN"]
    assert rows["acc"] == ["0.1", "0.2 *", "-"]
    assert rows["time"] == ["5", "6", "-"]
    assert compared(runs, everything=True)["same"] == ["1", "1", "1"]
    assert compared(runs, directions={"time": "min", "loss": "max"})["time"] == ["5 *", "6", "-"]


def test_comparison_of_the_best_rather_than_the_last_value():
    runs = [
        run("a", metrics={"loss": 3.0}, summaries={"loss": summary("loss", 1.0, 9.0, 3.0)}),
        run("b", metrics={"loss": 2.5}, summaries={"loss": summary("loss", 2.0, 4.0, 2.5)}),
    ]
    assert compared(runs)["loss"] == ["3", "2.5 *"]
    assert compared(runs, statistic="min")["loss"] == ["1 *", "2"]
    assert compared(runs, statistic="max")["loss"] == ["9", "4 *"]


def test_many_runs_are_compared_in_blocks_of_like_size():
    runs = [run(f"{i}" * 32, {"lr": str(i)}) for i in range(7)]
    parts = list(blocks(compare_table(runs, NOW), 80))
    assert [len(part.columns) - 1 for part in parts] == [2, 2, 3]
    assert all(fit(part, 80).dropped == () for part in parts)
