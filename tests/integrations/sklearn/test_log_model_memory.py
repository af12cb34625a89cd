"""Models that wait to be written hold memory; the next one waits while there is none left."""

import threading

import numpy as np
import pytest
from sklearn.linear_model import Ridge

import autolog
from autolog_core.session import default_session

ESTIMATOR = Ridge().fit(np.arange(6.0).reshape(3, 2), np.arange(3.0))


def predict(model_input):
    return model_input


@pytest.fixture
def tight(tracking, monkeypatch):
    """A session whose models may hold one byte, so only one of them at a time."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tracking.parent / "home"))
    monkeypatch.setenv("AUTOLOG_SNAPSHOT_MEMORY", "1")
    autolog.set_tracking_uri(tracking.parent / "tight")
    return default_session().saving


@pytest.mark.parametrize(
    "log",
    [
        lambda name: autolog.sklearn.log_model(ESTIMATOR, name=name),
        lambda name: autolog.pyfunc.log_model(python_model=predict, name=name),
    ],
    ids=["estimator", "python"],
)
def test_the_next_model_waits_while_there_is_no_memory(log, tight, caplog):
    writing = threading.Event()
    later = []
    second = threading.Thread(target=lambda: later.append(log("second")))
    tight.submit(writing.wait)
    try:
        first = log("first")
        assert tight.workshop().memory.held > 1
        second.start()
        # Whoever waits says so, after a while.
        while not any("waits" in record.message for record in caplog.records):
            second.join(0.1)
            assert second.is_alive()
        assert not later
    finally:
        writing.set()
    second.join(60)
    for info in (first, *later):
        assert info.wait(60)
        assert autolog.get_logged_model(info.model_id).status == "READY"
    assert len(later) == 1
    assert tight.workshop().memory.held == 0
