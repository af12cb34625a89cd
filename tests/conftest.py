"""What tests of all folders share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says nothing on a busy machine.
settings.register_profile("autolog", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("autolog")

PREFIXES = ("AUTOLOG_", "MLFLOW_")
QUIET = {
    # Sampling and code capture run in the background of every run: tests of them turn them on.
    "AUTOLOG_ENABLE_SYSTEM_METRICS_LOGGING": "false",
    "AUTOLOG_CAPTURE_CODE": "false",
    "AUTOLOG_CAPTURE_PACKAGES": "false",
}


def ours(environment) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(PREFIXES)}


@pytest.fixture
def tracking(tmp_path: Path) -> Iterator[Path]:
    """Points the default session to a fresh store, and gives the folder that holds it."""
    import autolog
    from autolog import _active, _sessions, fluent_experiments, fluent_models, operations
    from autolog.instrument import checkpoints, ongoing
    from autolog_core.session import default_session, set_default

    before = ours(os.environ)
    for name in before:
        del os.environ[name]
    os.environ.update(QUIET)
    folder = tmp_path / "mlruns"
    autolog.set_tracking_uri(folder)
    try:
        yield folder
    finally:
        _active.stack.set(())
        _active._last_here.set(None)
        _active.model_id.set(None)
        fluent_models._last.set(None)
        fluent_experiments._chosen_name = None
        operations.enable_async_logging(False)
        checkpoints.set_policy(None)
        ongoing.close_all()
        ongoing._ended.clear()
        for session in (default_session(), *_sessions._others.values()):
            session.close()
        _sessions._others.clear()
        for name in ours(os.environ):
            del os.environ[name]
        os.environ.update(before)
        set_default(str(tmp_path / "after"))
