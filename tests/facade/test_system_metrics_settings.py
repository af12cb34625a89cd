"""Turning system metrics on and off, and setting how they are sampled."""

import os

import pytest

import autolog
from autolog.exceptions import InvalidArgument
from autolog_core.session import default_session

pytestmark = pytest.mark.usefixtures("tracking")


def watched() -> bool:
    with autolog.start_run():
        return autolog._active.current().watched


def test_on_and_off():
    assert not watched()
    autolog.enable_system_metrics_logging()
    assert watched()
    assert os.environ["AUTOLOG_ENABLE_SYSTEM_METRICS_LOGGING"] == "true"
    autolog.config.disable_system_metrics_logging()
    assert not watched()
    with autolog.start_run(log_system_metrics=True):
        assert autolog._active.current().watched
    autolog.enable_system_metrics_logging()
    with autolog.start_run(log_system_metrics=False):
        assert not autolog._active.current().watched


def test_settings_reach_the_session_and_the_environment():
    autolog.set_system_metrics_sampling_interval(0.5)
    autolog.set_system_metrics_samples_before_logging(3)
    autolog.set_system_metrics_node_id("gpu-7")
    settings = default_session().settings
    assert settings.system_metrics_interval == 0.5
    assert settings.system_metrics_samples == 3
    assert settings.system_metrics_node == "gpu-7"
    assert os.environ["AUTOLOG_SYSTEM_METRICS_SAMPLING_INTERVAL"] == "0.5"
    for undo in (
        autolog.set_system_metrics_sampling_interval,
        autolog.set_system_metrics_samples_before_logging,
        autolog.set_system_metrics_node_id,
    ):
        undo(None)
    settings = default_session().settings
    assert settings.system_metrics_interval == 10
    assert settings.system_metrics_samples == 1
    assert settings.system_metrics_node is None
    assert "AUTOLOG_SYSTEM_METRICS_SAMPLING_INTERVAL" not in os.environ


@pytest.mark.parametrize("value", [0, -1, "1", float("nan"), float("inf"), True])
def test_bad_values(value):
    with pytest.raises(InvalidArgument, match="interval"):
        autolog.set_system_metrics_sampling_interval(value)
    with pytest.raises(InvalidArgument, match="samples"):
        autolog.set_system_metrics_samples_before_logging(value)
    with pytest.raises(InvalidArgument, match="samples"):
        autolog.set_system_metrics_samples_before_logging(1.5)


def test_metrics_are_logged_under_the_nodes_name():
    autolog.set_system_metrics_sampling_interval(0.01)
    autolog.set_system_metrics_node_id("n1")
    autolog.enable_system_metrics_logging()
    with autolog.start_run() as run:
        while "system/n1/cpu_utilization_percentage" not in run.data.metrics:
            pass
