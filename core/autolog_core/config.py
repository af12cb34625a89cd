"""Settings, and the only reader of the environment.

Every name is read as ``AUTOLOG_<NAME>`` first and, where MLflow has the same setting, as
``MLFLOW_<NAME>`` second, so a script that was set up for MLflow keeps working.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from autolog_core.errors import InvalidArgument

DEFAULT_FOLDER = "mlruns"
_TRUE = frozenset(("1", "true", "yes", "on"))
_FALSE = frozenset(("0", "false", "no", "off"))


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set from outside.

    Attributes:
        tracking_uri: Address of the store, or None for ``./mlruns/tracking.db``.
        experiment_name: Name of the experiment for new runs.
        experiment_id: Id of the experiment for new runs.
        run_id: Id of the run that the first ``start_run()`` resumes.
        system_metrics: Whether runs sample CPU, memory, disk, network and GPU.
        system_metrics_interval: Seconds between samples.
        system_metrics_samples: Samples averaged into one logged point.
        system_metrics_node: Prefix between ``system/`` and the metric's name.
        flush_interval: Seconds between commits of the journal to the store.
        capture_code: Whether git state and the diff are kept.
        capture_packages: Whether installed package versions are kept.
        artifacts_progress_bar: Whether long copies of artifacts show a bar on a terminal.
        notebook: Path of the notebook that Jupyter runs this process for, if it says so.
        trust_models: Whether models that run code when loaded are loaded; None asks who saved them.
        data_folder: Folder for what autolog keeps for this user.
        snapshot_memory: Bytes that models may hold while they wait to be written; None for two
            models or 1 GiB of smaller ones, and never more than half of what is available.
        prediction_device: Where models of PyTorch predict, such as ``cpu`` or ``cuda:0``.
    """

    tracking_uri: str | None = None
    experiment_name: str | None = None
    experiment_id: str | None = None
    run_id: str | None = None
    system_metrics: bool = True
    system_metrics_interval: float = 10.0
    system_metrics_samples: int = 1
    system_metrics_node: str | None = None
    flush_interval: float = 0.2
    capture_code: bool = True
    capture_packages: bool = True
    user: str | None = None
    artifacts_progress_bar: bool = True
    notebook: str | None = None
    trust_models: bool | None = None
    data_folder: str = ""
    snapshot_memory: int | None = None
    prediction_device: str | None = None


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Returns the settings that the environment holds.

    Args:
        environ: Variables to read instead of the process's own.

    Raises:
        InvalidArgument: A variable has a value that cannot be read.
    """
    env = os.environ if environ is None else environ
    return Settings(
        tracking_uri=_text(env, "TRACKING_URI"),
        experiment_name=_text(env, "EXPERIMENT_NAME"),
        experiment_id=_text(env, "EXPERIMENT_ID"),
        run_id=_text(env, "RUN_ID"),
        system_metrics=_flag(env, "ENABLE_SYSTEM_METRICS_LOGGING", True),
        system_metrics_interval=_number(env, "SYSTEM_METRICS_SAMPLING_INTERVAL", 10.0),
        system_metrics_samples=int(_number(env, "SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING", 1)),
        system_metrics_node=_text(env, "SYSTEM_METRICS_NODE_ID"),
        flush_interval=_number(env, "FLUSH_INTERVAL", 0.2),
        capture_code=_flag(env, "CAPTURE_CODE", True),
        capture_packages=_flag(env, "CAPTURE_PACKAGES", True),
        user=env.get("LOGNAME") or env.get("USER") or env.get("USERNAME") or _account(),
        artifacts_progress_bar=_flag(env, "ENABLE_ARTIFACTS_PROGRESS_BAR", True),
        notebook=env.get("JPY_SESSION_NAME"),
        trust_models=_trust(env),
        data_folder=_data_folder(env),
        snapshot_memory=_bytes(env, "SNAPSHOT_MEMORY"),
        prediction_device=_text(env, "DEFAULT_PREDICTION_DEVICE"),
    )


def export(name: str, value: str | None) -> None:
    """Sets ``AUTOLOG_<name>`` for child processes; None removes it."""
    if value is None:
        os.environ.pop(f"AUTOLOG_{name}", None)
    else:
        os.environ[f"AUTOLOG_{name}"] = value


def list_variables() -> dict[str, str]:
    """Returns the variables of the environment whose names are autolog's or MLflow's."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("AUTOLOG_", "MLFLOW_"))
    }


def git_environment() -> dict[str, str]:
    """Returns the environment to run ``git`` in: it asks nothing, locks nothing, fetches nothing.

    Variables that point git at another repository (as inside a hook) are left out; those that
    configure it are kept, because they may say which folders are trusted.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(("GIT_CONFIG", "GIT_EXEC_PATH"))
    }
    return kept | {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "LC_ALL": "C",
    }


def take_run_id() -> str | None:
    """Returns the run id that the environment names, and removes it: it counts once."""
    found = os.environ.pop("AUTOLOG_RUN_ID", None)
    other = os.environ.pop("MLFLOW_RUN_ID", None)
    return found or other


def _trust(env: Mapping[str, str]) -> bool | None:
    for name in ("TRUST_MODELS", "ALLOW_PICKLE_DESERIALIZATION"):
        if _lookup(env, name) is not None:
            return _flag(env, name, False)
    return None


def _data_folder(env: Mapping[str, str]) -> str:
    home = env.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return os.path.join(home, "autolog")


def read_active_model_id() -> str | None:
    """Returns the id of the logged model that the environment names as the active one."""
    return os.environ.get("AUTOLOG_ACTIVE_MODEL_ID") or os.environ.get("MLFLOW_ACTIVE_MODEL_ID")


def take_active_model_id() -> None:
    """Removes the name of the active logged model from the environment."""
    os.environ.pop("AUTOLOG_ACTIVE_MODEL_ID", None)
    os.environ.pop("MLFLOW_ACTIVE_MODEL_ID", None)


def _account() -> str | None:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        # A container may run under a number that has no name.
        return None


def _lookup(env: Mapping[str, str], name: str) -> tuple[str, str] | None:
    for prefix in ("AUTOLOG_", "MLFLOW_"):
        value = env.get(prefix + name)
        if value:
            return prefix + name, value
    return None


def _text(env: Mapping[str, str], name: str) -> str | None:
    found = _lookup(env, name)
    return found[1] if found else None


def _flag(env: Mapping[str, str], name: str, default: bool) -> bool:
    found = _lookup(env, name)
    if found is None:
        return default
    word = found[1].strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise InvalidArgument(f"{found[0]}={found[1]!r} must be true or false")


def _bytes(env: Mapping[str, str], name: str) -> int | None:
    return None if _lookup(env, name) is None else int(_number(env, name, 1.0))


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    found = _lookup(env, name)
    if found is None:
        return default
    try:
        value = float(found[1])
    except ValueError:
        value = -1.0
    if not value > 0:
        raise InvalidArgument(f"{found[0]}={found[1]!r} must be a number above 0")
    return value
