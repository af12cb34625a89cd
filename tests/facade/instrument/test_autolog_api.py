"""autolog(), disabled(), status(): options, who set them, and what has no effect yet."""

import inspect

import pytest

import autolog
from autolog.instrument import control


@pytest.fixture(autouse=True)
def everything_off(toy):
    yield
    for name in list(control._integrations):
        control.configure(name, control.OWN, disable=True)
        control._integrations[name].source = None


def test_the_arguments_are_mlflows():
    mlflow = pytest.importorskip("mlflow.tracking.fluent")
    theirs = inspect.signature(mlflow.autolog).parameters
    ours = inspect.signature(autolog.autolog).parameters
    assert {name: each.default for name, each in ours.items()} == {
        name: each.default for name, each in theirs.items()
    }


def test_on_and_off(toy, runs):
    autolog.autolog()
    toy.lib().Model().fit([1])
    autolog.autolog(disable=True)
    toy.lib().Model().fit([1])
    assert len(runs()) == 1


def test_status_says_who_set_what(toy):
    assert autolog.status()["toy"].source is None
    autolog.autolog(exclusive=True, silent=True)
    status = autolog.status()["toy"]
    assert status.source == "autolog.autolog()"
    assert status.options["exclusive"] is True
    toy.on(log_datasets=False)
    status = autolog.status()["toy"]
    assert status.source == "the integration's own autolog()"
    assert status.options["log_datasets"] is False
    assert status.options["exclusive"] is False


def test_own_options_win_over_the_global_call(toy, caplog):
    toy.on(log_datasets=False)
    autolog.autolog(exclude_flavors=["sklearn"])
    assert autolog.status()["toy"].options["log_datasets"] is False
    autolog.autolog(disable=True)
    assert autolog.status()["toy"].state != "off"
    assert "autolog.toy.autolog(disable=True)" in caplog.text


def test_excluded_flavors_are_off_and_are_turned_off(toy, runs):
    autolog.autolog(exclude_flavors=["toy"])
    toy.lib().Model().fit([1])
    assert runs() == []
    autolog.autolog()
    toy.lib().Model().fit([1])
    autolog.autolog(exclude_flavors=["toy", "tensorflow"])
    toy.lib().Model().fit([1])
    assert len(runs()) == 1


def test_disabled_covers_a_block(toy, runs):
    toy.on()
    with autolog.disabled():
        toy.lib().Model().fit([1])
    assert runs() == []
    toy.lib().Model().fit([1])
    assert len(runs()) == 1


def test_exclusive_keeps_out_of_the_users_run(toy, runs):
    toy.on(exclusive=True)
    with autolog.start_run():
        toy.lib().Model().fit([1])
    (run,) = runs()
    assert run.data.params == {}
    toy.lib().Model().fit([1])
    assert len(runs()) == 2


def test_extra_tags_go_on_every_run(toy, runs):
    toy.on(extra_tags={"team": "a"})
    toy.lib().Model().fit([1])
    with autolog.start_run():
        toy.lib().Model().fit([1])
    assert [run.data.tags["team"] for run in runs()] == ["a", "a"]


def test_options_without_effect_say_so_once(toy, caplog):
    toy.on(log_input_examples=True)
    toy.on(log_input_examples=True)
    assert len(caplog.records) == 1
    assert "log_input_examples has no effect yet: there are no models" in caplog.text
    assert autolog.status()["toy"].without_effect == {"log_input_examples": "there are no models"}


@pytest.mark.parametrize("stop", [False, True])
def test_versions_outside_the_tested_ones(toy, runs, caplog, stop):
    path = toy.folder / "toylib.py"
    path.write_text(path.read_text().replace('"1.0"', '"2.0"'))
    toy.on(disable_for_unsupported_versions=stop)
    toy.lib().Model().fit([1])
    assert len(runs()) == (0 if stop else 1)
    assert autolog.status()["toy"].state == ("unsupported" if stop else "on")
    assert len(caplog.records) == 1
    assert "tested with toy >=1,<2; 2.0" in caplog.text


def test_silence(toy, caplog, capfd):
    path = toy.folder / "toylib.py"
    path.write_text(path.read_text().replace('"1.0"', '"2.0"'))
    toy.on(silent=True, log_input_examples=True)
    toy.lib().Model().fit([1])
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"disable": "yes"}, "disable must be True or False, got 'yes'"),
        ({"log_traces": 1}, "log_traces must be True or False"),
        ({"extra_tags": ["a"]}, "extra_tags must be a dictionary"),
        ({"extra_tags": {"a": "x" * 9000}}, "extra_tags\\['a'\\] has 9000 characters"),
        ({"extra_tags": {1: "x"}}, "extra_tags key must be a string"),
        ({"exclude_flavors": "toy"}, "exclude_flavors must be a list of names"),
        ({"exclude_flavors": [1]}, "exclude_flavors must hold names only"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(autolog.AutologError, match=message):
        autolog.autolog(**options)


def test_no_such_integration():
    with pytest.raises(autolog.AutologError, match="no integration 'tofu'"):
        control.configure("tofu", control.OWN)
