"""Experiments: which one is active, and their life."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import autolog
from autolog.entities import ViewType
from autolog.exceptions import AlreadyExists, InvalidArgument, InvalidState, NotFound

pytestmark = pytest.mark.usefixtures("tracking")


def home_of_a_run() -> str:
    with autolog.start_run() as run:
        pass
    return autolog.get_experiment(run.info.experiment_id).name


def in_child(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import autolog\n{program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_default_experiment_is_0():
    assert home_of_a_run() == "Default"
    assert autolog.get_experiment("0").experiment_id == "0"


def test_set_experiment_by_name_creates_and_by_id_finds():
    made = autolog.set_experiment("churn")
    assert (made.name, made.lifecycle_stage) == ("churn", "active")
    assert home_of_a_run() == "churn"
    autolog.set_experiment("other")
    assert autolog.set_experiment("churn").experiment_id == made.experiment_id
    autolog.set_experiment("other")
    assert autolog.set_experiment(experiment_id=made.experiment_id) == made
    assert home_of_a_run() == "churn"


@pytest.mark.parametrize("arguments", [{}, {"experiment_name": "a", "experiment_id": "0"}])
def test_set_experiment_takes_name_or_id(arguments):
    with pytest.raises(InvalidArgument, match="either"):
        autolog.set_experiment(**arguments)


def test_set_experiment_refuses_deleted_missing_and_nameless():
    gone = autolog.create_experiment("gone")
    autolog.delete_experiment(gone)
    with pytest.raises(InvalidArgument, match="restore_experiment"):
        autolog.set_experiment("gone")
    with pytest.raises(InvalidArgument, match="restore_experiment"):
        autolog.set_experiment(experiment_id=gone)
    with pytest.raises(NotFound):
        autolog.set_experiment(experiment_id="99")
    with pytest.raises(InvalidArgument):
        autolog.set_experiment("")
    assert home_of_a_run() == "Default"


def test_experiment_of_the_run_wins():
    other = autolog.create_experiment("other")
    autolog.set_experiment("churn")
    with autolog.start_run(experiment_id=other) as run:
        assert run.info.experiment_id == other
    with autolog.start_run(experiment_id=int(other)) as run:
        assert run.info.experiment_id == other
    with pytest.raises(NotFound):
        autolog.start_run(experiment_id="99")
    assert autolog.active_run() is None


def test_children_inherit_the_choice():
    os.environ["MLFLOW_EXPERIMENT_NAME"] = "of the shell"
    chosen = autolog.set_experiment("churn")
    program = "with autolog.start_run() as run: print(run.info.experiment_id)"
    assert in_child(program) == chosen.experiment_id


@pytest.mark.parametrize("prefix", ["AUTOLOG", "MLFLOW"])
def test_experiment_of_the_environment(tracking, prefix):
    program = "with autolog.start_run() as run: print(run.info.experiment_id)"
    os.environ[f"{prefix}_EXPERIMENT_NAME"] = "from outside"
    made = in_child(program)
    assert autolog.get_experiment(made).name == "from outside"
    assert in_child(program) == made
    del os.environ[f"{prefix}_EXPERIMENT_NAME"]
    os.environ[f"{prefix}_EXPERIMENT_ID"] = made
    assert in_child(program) == made


def test_choice_by_name_goes_along_to_another_store(tmp_path):
    autolog.create_experiment("first")
    there = autolog.set_experiment("churn")
    autolog.set_tracking_uri(tmp_path / "elsewhere")
    assert home_of_a_run() == "churn"
    assert autolog.get_experiment_by_name("churn").experiment_id != there.experiment_id
    assert autolog.get_experiment_by_name("first") is None


def test_one_name_set_by_many_at_once_is_one_experiment():
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(autolog.set_experiment, ["same"] * 16))
    assert len({experiment.experiment_id for experiment in made}) == 1


def test_create_experiment(tmp_path):
    place = str(tmp_path / "place")
    made = autolog.create_experiment("e", artifact_location=place, tags={"team": 1})
    found = autolog.get_experiment(made)
    assert (found.name, found.tags, found.artifact_location) == ("e", {"team": "1"}, place)
    assert autolog.get_experiment_by_name("e") == found
    assert autolog.get_experiment_by_name("f") is None
    with autolog.start_run(experiment_id=made):
        assert autolog.get_artifact_uri().startswith(place)
    autolog.delete_experiment(made)
    with pytest.raises(AlreadyExists):
        autolog.create_experiment("e")
    for name in ("", " ", 5, "x" * 501):
        with pytest.raises(InvalidArgument):
            autolog.create_experiment(name)


def test_delete_and_restore_take_the_runs_along():
    made = autolog.create_experiment("e")
    with autolog.start_run(experiment_id=made) as run:
        pass
    autolog.delete_experiment(made)
    assert autolog.get_experiment(made).lifecycle_stage == "deleted"
    assert autolog.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    with pytest.raises(InvalidArgument, match="deleted"):
        autolog.start_run(experiment_id=made)
    with pytest.raises(NotFound):
        autolog.delete_experiment(made)
    autolog.restore_experiment(made)
    assert autolog.get_run(run.info.run_id).info.lifecycle_stage == "active"
    with autolog.start_run(experiment_id=made):
        pass
    with pytest.raises(NotFound):
        autolog.restore_experiment(made)


def test_tags_of_the_active_experiment():
    made = autolog.set_experiment("e").experiment_id
    autolog.set_experiment_tag("a", 1)
    autolog.set_experiment_tags({"a": 2, "b": True})
    assert autolog.get_experiment(made).tags == {"a": "2", "b": "True"}
    autolog.delete_experiment_tag("a")
    assert autolog.get_experiment(made).tags == {"b": "True"}
    with pytest.raises(NotFound):
        autolog.delete_experiment_tag("a")


def test_client_experiments():
    client = autolog.MlflowClient()
    made = client.create_experiment("e", tags={"a": 1})
    client.rename_experiment(made, "f")
    client.set_experiment_tag(made, "b", 2)
    client.delete_experiment_tag(made, "a")
    found = client.get_experiment(made)
    assert (found.name, found.tags) == ("f", {"b": "2"})
    assert client.get_experiment_by_name("f") == found
    client.delete_experiment(made)
    with pytest.raises(InvalidState):
        client.rename_experiment(made, "g")
    client.restore_experiment(made)
    assert client.get_experiment(made).lifecycle_stage == "active"


def test_search_experiments():
    for name in ("a1", "a2", "b1"):
        autolog.create_experiment(name, tags={"kind": name[0]})
    autolog.delete_experiment(autolog.get_experiment_by_name("a2").experiment_id)

    def names(**arguments):
        return [found.name for found in autolog.search_experiments(**arguments)]

    assert names(order_by=["name"]) == ["Default", "a1", "b1"]
    assert names(filter_string="tags.kind = 'a'") == ["a1"]
    assert names(view_type=ViewType.DELETED_ONLY) == ["a2"]
    assert names(
        view_type=ViewType.ALL, filter_string="name LIKE 'a%'", order_by=["name DESC"]
    ) == [
        "a2",
        "a1",
    ]
    assert len(names(max_results=2)) == 2
    with pytest.raises(InvalidArgument):
        names(filter_string="colour = 'red'")
    for bad in (0, -1, "3", 1.5, True):
        with pytest.raises(InvalidArgument, match="max_results"):
            names(max_results=bad)


def test_client_pages_of_experiments():
    client = autolog.MlflowClient()
    for number in range(5):
        client.create_experiment(f"e{number}")
    seen, token = [], None
    while True:
        page = client.search_experiments(max_results=2, order_by=["name"], page_token=token)
        seen += [found.name for found in page]
        token = page.token
        if token is None:
            break
    assert seen == ["Default", "e0", "e1", "e2", "e3", "e4"]
