import json

import pytest


def test_list_counts_runs(call):
    head, *rows = [line.split("\t") for line in call("experiments", "list").stdout.splitlines()]
    assert head[:3] == ["experiment_id", "name", "runs"]
    assert [row[:3] for row in rows] == [
        ["2", "Übersetzung 模型", "1"],
        ["1", "flowers", "3"],
        ["0", "Default", "0"],
    ]
    assert rows[0][4] == "FAILED"
    assert rows[1][-1] == "team=vision"


def test_search_filters_and_orders(call):
    result = call("experiments", "search", "tags.team = 'vision'", "--json")
    assert [found["name"] for found in json.loads(result.stdout)] == ["flowers"]
    ordered = call("experiments", "list", "-s", "name", "-n", "1")
    assert "Default" in ordered.stdout
    assert "there are more" in ordered.stderr
    assert call("experiments", "search", "name = 'x'").stderr == "no experiment matches\n"


def test_show_has_the_newest_runs(call):
    text = call("experiments", "show", "flowers").stdout
    assert text.startswith("flowers\n  id         1\n")
    assert "runs       3, the last one 2023-11-14" in text
    assert "  team  vision\n" in text
    assert "blue" in text
    assert json.loads(call("experiments", "show", "1", "--json").stdout)["name"] == "flowers"


def test_an_unknown_experiment_is_told_with_similar_names(call):
    result = call("experiments", "show", "flower")
    assert result.exit_code == 1
    assert "did you mean 'flowers'?" in result.stderr


def test_create_prints_the_id(change):
    result = change("experiments", "create", "neu 模", "-t", "a=b")
    assert result.stdout == "3\n"
    found = json.loads(change("experiments", "show", "3", "--json").stdout)
    assert (found["name"], found["tags"]) == ("neu 模", {"a": "b"})
    again = change("experiments", "create", "neu 模")
    assert again.exit_code == 1
    assert again.stderr.startswith("AlreadyExists: ")


def test_create_makes_the_database(tmp_path):
    from click.testing import CliRunner

    from autolog_core.cli.main import cli

    where = ["--tracking-uri", str(tmp_path / "new")]
    assert CliRunner().invoke(cli, [*where, "experiments", "create", "x"]).stdout == "1\n"
    assert (tmp_path / "new" / "tracking.db").exists()


def test_an_experiment_is_renamed_tagged_deleted_and_restored(change):
    assert change("experiments", "rename", "flowers", "blossoms").exit_code == 0
    assert change("experiments", "tag", "blossoms", "k=v", "-r", "team").exit_code == 0
    found = json.loads(change("experiments", "show", "blossoms", "--json").stdout)
    assert found["tags"] == {"k": "v"}
    assert change("experiments", "delete", "blossoms").exit_code == 0
    assert "blossoms" not in change("experiments", "list").stdout
    assert "blossoms\t3" in change("experiments", "list", "--deleted").stdout
    assert change("experiments", "restore", "blossoms").exit_code == 0
    assert len(change("runs", "list", "-e", "blossoms", "-q").stdout.split()) == 3


@pytest.mark.parametrize("arguments", [["tag", "flowers"], ["tag", "flowers", "x"], ["create"]])
def test_wrong_usage_is_exit_code_2(change, arguments):
    assert change("experiments", *arguments).exit_code == 2


def test_a_wrong_tag_changes_nothing(change):
    result = change("experiments", "tag", "flowers", "ok=1", "b!=1")
    assert result.exit_code == 1
    found = json.loads(change("experiments", "show", "flowers", "--json").stdout)
    assert found["tags"] == {"team": "vision"}
