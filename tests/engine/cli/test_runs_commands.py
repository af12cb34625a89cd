import json

import pytest

from autolog_core.config import Settings
from autolog_core.session import Session


def lines(result):
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()


def column(result, name):
    head, *rows = lines(result)
    place = head.split("\t").index(name)
    return [row.split("\t")[place] for row in rows]


def test_list_shows_all_experiments_newest_first(call, template):
    result = call("runs", "list")
    assert column(result, "run_id") == [template.runs[n] for n in ("sunk", "blue", "green", "red")]
    assert column(result, "name")[0] == "sunk \ufffd[31m模"
    assert column(result, "experiment") == ["Übersetzung 模型", "flowers", "flowers", "flowers"]
    assert column(result, "status") == ["FAILED", "FINISHED", "FINISHED", "FINISHED"]
    assert column(result, "duration_s")[1] == "4.998"
    assert column(result, "params.lr")[1:] == ["0.001", "0.01", "0.1"]


@pytest.mark.parametrize("word", ["flowers", "1"])
def test_list_of_one_experiment_by_name_or_id(call, word):
    assert len(lines(call("runs", "list", "-e", word))) == 4


def test_list_follows_the_environment_and_can_be_told_not_to(call, monkeypatch):
    monkeypatch.setenv("AUTOLOG_EXPERIMENT_NAME", "flowers")
    assert len(lines(call("runs", "list"))) == 4
    assert len(lines(call("runs", "list", "--all-experiments"))) == 5
    assert call("runs", "list", "--all-experiments", "-e", "1").exit_code == 2


def test_list_orders_limits_and_says_that_there_are_more(call, template):
    result = call("runs", "list", "-e", "flowers", "-s", "params.lr", "-n", "2", "-q")
    assert lines(result) == [template.runs["blue"], template.runs["green"]]
    assert "there are more" in call("runs", "list", "-n", "2").stderr


def test_columns_can_be_chosen(call):
    result = call("runs", "list", "-e", "1", "-c", "metrics.system/cpu, tags.team")
    assert column(result, "metrics.system/cpu") == ["9.0"] * 3
    assert column(result, "tags.team") == ["vision"] * 3
    bad = call("runs", "list", "-c", "lr")
    assert bad.exit_code == 2
    assert "metrics.KEY" in bad.stderr


def test_search_filters_and_shows_what_it_filters_by(call, template):
    result = call("runs", "search", "metrics.val_loss < 0.001 and params.depth = '4'")
    assert column(result, "name") == ["blue", "green"]
    assert column(result, "metrics.val_loss") == ["2e-05", "0.0002"]
    assert column(result, "params.depth") == ["4", "4"]


def test_search_without_a_match_says_so_and_succeeds(call):
    result = call("runs", "search", "params.lr = 'x'")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "no run matches\n"
    assert json.loads(call("runs", "search", "params.lr = 'x'", "--json").stdout) == []


def test_a_wrong_filter_is_shown_where_it_is_wrong(call):
    result = call("runs", "search", "metrics.loss <> 3")
    assert result.exit_code == 1
    assert result.stderr.startswith("InvalidFilter: ")
    assert "^" in result.stderr


def test_json_of_runs_has_everything(call, template):
    runs = json.loads(call("runs", "list", "-e", "flowers", "--json").stdout)
    red = next(run for run in runs if run["info"]["run_name"] == "red")
    assert red["info"]["run_id"] == template.runs["red"]
    assert red["data"]["params"]["lr"] == "0.1"
    assert red["data"]["metrics"]["gone"] in ("NaN", "Infinity")
    assert red["data"]["summaries"]["val_loss"]["points"] == 50
    assert red["inputs"]["dataset_inputs"][0]["dataset"]["name"] == "iris"


def test_an_empty_experiment_says_so(change):
    change("experiments", "create", "empty")
    result = change("runs", "list", "-e", "empty")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "no run in 'empty' yet\n"


@pytest.mark.parametrize("how", ["id", "prefix", "name"])
def test_show_by_id_prefix_or_name(call, template, how):
    run_id = template.runs["red"]
    word = {"id": run_id, "prefix": run_id[:10], "name": "red"}[how]
    text = call("runs", "show", word).stdout
    assert text.startswith("red  finished\n")
    assert f"id          {run_id}\n" in text


def test_show_without_a_name_takes_the_newest(call):
    assert call("runs", "show").stdout.startswith("sunk \ufffd[31m模  failed\n")


def test_show_tells_all_of_a_run_and_cuts_nothing_in_a_pipe(call):
    text = call("runs", "show", "red").stdout
    assert "x" * 300 in text
    assert "experiment  flowers (id 1)" in text
    assert "iris  train     150 rows  d1g     /iris.csv" in text
    assert "val_loss       0.002  0.002  0.1       49      50  █▃▂" in text
    assert "Metrics  3, and 1 of the machine (--all)" in text
    assert "system/cpu" not in text
    assert "no finite value to draw" in text
    assert "system/cpu" in call("runs", "show", "red", "--all").stdout


def test_show_tells_why_a_run_failed(call):
    text = call("runs", "show").stdout
    assert 'Failure\n  Traceback (most recent call last):\n    File "train.py", line 3\n' in text
    assert 'ValueError: bad "数"' in text
    assert "Note\n  # Why\n  it sank\n" in text
    assert "├─ failure/\n  │  └─ traceback.txt  83 B\n" in text
    assert "weights.bin  256 B" in text


def test_show_one_metric_large(call):
    text = call("runs", "show", "red", "-m", "val_loss").stdout
    assert text.split("\n")[1] == "val_loss"
    assert len(text.split("\n")) == 21
    both = call("runs", "show", "red", "-m", "val_loss", "-m", "gone", "--log").stdout
    assert "gone (nothing to draw)" in both
    history = json.loads(call("runs", "show", "red", "-m", "val_loss", "--json").stdout)["history"]
    assert history["val_loss"]["values"][1] == 0.05
    missing = call("runs", "show", "red", "-m", "loss")
    assert missing.exit_code == 1
    assert "it has: gone, system/cpu, test_accuracy, val_loss" in missing.stderr


def test_an_unknown_run_is_told_with_similar_names(call):
    result = call("runs", "show", "gren")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "NotFound: there is no run with id or name 'gren': did you mean 'green'? "
        "see `autolog runs list`\n"
    )


def test_an_ambiguous_name_lists_the_candidates(change, seeded):
    change("runs", "rename", "red", "green")
    result = change("runs", "show", "green")
    assert result.exit_code == 1
    assert "'green' fits several runs" in result.stderr
    assert seeded.runs["red"] in result.stderr
    assert seeded.runs["green"] in result.stderr


def test_an_ambiguous_prefix_lists_the_candidates(change, seeded):
    session = Session(str(seeded.folder), Settings())
    for run_id in ("ab_c1", "ab_c2", "abxc3"):
        session.create_run("1", run_id=run_id).end()
    session.close()
    result = change("runs", "show", "ab_c")
    assert result.exit_code == 1
    assert "ab_c1" in result.stderr
    assert "ab_c2" in result.stderr
    assert "abxc3" not in result.stderr
    assert change("runs", "show", "ab_c1").exit_code == 0
    assert change("runs", "show", "abx").exit_code == 0


def test_compare_shows_what_differs(call, template):
    result = call("runs", "compare", "red", "blue")
    rows = dict(line.split("\t", 1) for line in lines(result))
    assert rows["field"] == f"{template.runs['red']}\t{template.runs['blue']}"
    assert rows["params.lr"] == "0.1\t0.001"
    assert "params.depth" not in rows
    assert rows["metrics.val_loss"] == "0.002\t2e-05"
    assert "params.depth" in call("runs", "compare", "red", "blue", "--all").stdout
    record = json.loads(call("runs", "compare", "red", "blue", "--json").stdout)
    assert record["params"] == {"lr": ["0.1", "0.001"]}


def test_compare_draws_a_metric_of_all_runs(call):
    text = call("runs", "compare", "red", "green", "blue", "-m", "val_loss", "--log").stdout
    assert "* red   o green   + blue" in text
    record = json.loads(call("runs", "compare", "red", "blue", "-m", "val_loss", "--json").stdout)
    assert [run["val_loss"]["steps"][-1] for run in record.values()] == [49, 49]
    assert (
        "none of the runs has a metric 'x'"
        in call("runs", "compare", "red", "blue", "-m", "x").stderr
    )


def test_compare_needs_two_runs(call):
    assert call("runs", "compare", "red").exit_code == 2
    assert call("runs", "compare", "red", "red").exit_code == 2
    both = call("runs", "compare", "red", "blue", "--minimize", "x", "--maximize", "x")
    assert both.exit_code == 2


def test_tags_are_set_and_removed(change):
    assert change("runs", "tag", "red", "a=b", "c=d=e").exit_code == 0
    tags = json.loads(change("runs", "show", "red", "--json").stdout)["data"]["tags"]
    assert (tags["a"], tags["c"]) == ("b", "d=e")
    assert change("runs", "tag", "red", "--remove", "a").exit_code == 0
    tags = json.loads(change("runs", "show", "red", "--json").stdout)["data"]["tags"]
    assert "a" not in tags


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["red"], 2, "give KEY=VALUE"),
        (["red", "novalue"], 2, "write KEY=VALUE"),
        (["red", "a!=b"], 1, "tag key 'a!' is invalid"),
        (["red", "ok=1", "--remove", "absent"], 1, "no tag 'absent'"),
        (["red", f"long={'x' * 8001}"], 1, "at most 8000"),
    ],
)
def test_a_wrong_tag_changes_nothing(change, arguments, code, told):
    before = change("runs", "show", "red", "--json").stdout
    result = change("runs", "tag", *arguments)
    assert result.exit_code == code
    assert told in result.stderr
    assert change("runs", "show", "red", "--json").stdout == before


def test_a_run_is_renamed(change, seeded):
    assert change("runs", "rename", "red", "røed 模").exit_code == 0
    assert change("runs", "show", "røed 模").stdout.startswith("røed 模  finished\n")
    assert change("runs", "rename", "green", " ").exit_code == 1


def test_a_note_is_written_read_and_removed(change):
    assert change("runs", "note", "red", "-", stdin="# Title\n\ntext\n").exit_code == 0
    assert change("runs", "note", "red").stdout == "# Title\n\ntext\n"
    assert change("runs", "note", "red", "").exit_code == 0
    assert change("runs", "note", "red").stdout == ""


def test_runs_are_deleted_and_restored(change, seeded):
    assert change("runs", "delete", "red", "blue").exit_code == 0
    assert len(change("runs", "list", "-e", "flowers", "-q").stdout.split()) == 1
    deleted = change("runs", "list", "--deleted", "-q").stdout.split()
    assert set(deleted) == {seeded.runs["red"], seeded.runs["blue"]}
    assert change("runs", "show", "red").stdout.startswith("red  finished, deleted\n")
    refused = change("runs", "tag", "red", "a=b")
    assert refused.exit_code == 1
    assert f"autolog runs restore {seeded.runs['red']}" in refused.stderr
    assert change("runs", "restore", "red", "blue").exit_code == 0
    assert len(change("runs", "list", "-e", "flowers", "-q").stdout.split()) == 3


def test_one_unknown_run_among_many_keeps_all(change):
    assert change("runs", "delete", "red", "nope").exit_code == 1
    assert len(change("runs", "list", "-q").stdout.split()) == 4
