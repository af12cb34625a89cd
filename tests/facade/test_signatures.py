"""Every parameter of MLflow's functions is ours: same names, order and defaults."""

import importlib
import inspect
import warnings

import pytest

import autolog

pytest.importorskip("mlflow", reason="compares with MLflow's own signatures")

REGISTRY = "the model registry is another part of autolog"
TRACES = "traces are out of scope"

GAPS = {
    ("set_experiment", "trace_location"): TRACES,
    ("create_experiment", "trace_location"): TRACES,
    ("artifacts.download_artifacts", "registry_uri"): REGISTRY,
    ("MlflowClient.__init__", "registry_uri"): REGISTRY,
    ("MlflowClient.__init__", "workspace_store_uri"): "workspaces are out of scope",
}

FLUENT = [
    "clear_active_model",
    "get_active_model_id",
    "set_active_model",
    "create_external_model",
    "delete_logged_model_tag",
    "finalize_logged_model",
    "get_logged_model",
    "initialize_logged_model",
    "last_logged_model",
    "log_model_params",
    "log_outputs",
    "search_logged_models",
    "set_logged_model_tags",
    "active_run",
    "autolog",
    "create_experiment",
    "delete_experiment",
    "delete_experiment_tag",
    "delete_run",
    "delete_tag",
    "disable_system_metrics_logging",
    "enable_system_metrics_logging",
    "end_run",
    "flush_artifact_async_logging",
    "flush_async_logging",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_parent_run",
    "get_run",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "last_active_run",
    "load_table",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_image",
    "log_input",
    "log_inputs",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_stream",
    "log_table",
    "log_text",
    "restore_experiment",
    "restore_run",
    "search_experiments",
    "search_runs",
    "set_experiment",
    "set_experiment_tag",
    "set_experiment_tags",
    "set_system_metrics_node_id",
    "set_system_metrics_samples_before_logging",
    "set_system_metrics_sampling_interval",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "start_run",
    "Image",
    "Image.to_list",
    "Image.to_array",
    "Image.to_pil",
    "Image.save",
    "Image.resize",
    "artifacts.download_artifacts",
    "artifacts.list_artifacts",
    "artifacts.load_text",
    "artifacts.load_dict",
    "artifacts.load_image",
    "config.enable_async_logging",
    "config.set_tracking_uri",
    "config.get_tracking_uri",
    "config.is_tracking_uri_set",
    "config.enable_system_metrics_logging",
    "config.disable_system_metrics_logging",
    "config.set_system_metrics_node_id",
    "config.set_system_metrics_samples_before_logging",
    "config.set_system_metrics_sampling_interval",
    "tracking.set_tracking_uri",
    "tracking.get_tracking_uri",
    "tracking.is_tracking_uri_set",
]

CLIENT = [
    "create_logged_model",
    "log_model_params",
    "finalize_logged_model",
    "get_logged_model",
    "delete_logged_model",
    "set_logged_model_tags",
    "delete_logged_model_tag",
    "log_outputs",
    "search_logged_models",
    "log_model_artifact",
    "log_model_artifacts",
    "list_logged_model_artifacts",
    "__init__",
    "search_experiments",
    "get_experiment",
    "get_experiment_by_name",
    "create_experiment",
    "delete_experiment",
    "restore_experiment",
    "rename_experiment",
    "set_experiment_tag",
    "delete_experiment_tag",
    "get_run",
    "get_parent_run",
    "create_run",
    "update_run",
    "set_terminated",
    "delete_run",
    "restore_run",
    "search_runs",
    "log_metric",
    "log_param",
    "set_tag",
    "delete_tag",
    "log_batch",
    "log_inputs",
    "get_metric_history",
    "log_artifact",
    "log_artifacts",
    "log_text",
    "log_dict",
    "log_stream",
    "log_figure",
    "log_image",
    "log_table",
    "load_table",
    "list_artifacts",
    "download_artifacts",
]

NAMES = [*FLUENT, *(f"MlflowClient.{name}" for name in CLIENT)]


@pytest.fixture(scope="module")
def mlflow():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module("mlflow")
        importlib.import_module("mlflow.artifacts")
        importlib.import_module("mlflow.config")
    return module


def find(module, path):
    for name in path.split("."):
        module = getattr(module, name)
    return module


def parameters(function):
    return [
        (name, parameter.kind, parameter.default)
        for name, parameter in inspect.signature(function).parameters.items()
    ]


@pytest.mark.parametrize("path", NAMES)
def test_signature_is_that_of_mlflow(mlflow, path):
    expected = [each for each in parameters(find(mlflow, path)) if (path, each[0]) not in GAPS]
    assert parameters(find(autolog, path)) == expected


def test_every_gap_is_still_one(mlflow):
    for path, name in GAPS:
        assert name in inspect.signature(find(mlflow, path)).parameters
        assert name not in inspect.signature(find(autolog, path)).parameters


def test_every_function_of_ours_that_mlflow_has_is_compared(mlflow):
    shared = {
        name
        for name in autolog._HOMES
        if inspect.isroutine(getattr(autolog, name)) and hasattr(mlflow, name)
    }
    assert shared <= set(FLUENT)
    client = {name for name in dir(autolog.MlflowClient) if not name.startswith("_")}
    # MLflow's client cannot bring a deleted model back.
    assert client - {"tracking_uri", "restore_logged_model"} <= set(CLIENT)


def test_entities_and_statuses_have_mlflows_names_and_numbers(mlflow):
    for name in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL"):
        assert getattr(autolog.entities.ViewType, name) == getattr(mlflow.entities.ViewType, name)
    for word in ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"):
        theirs = mlflow.entities.RunStatus.from_string(word)
        assert autolog.entities.RunStatus.from_string(word) == theirs
        assert autolog.entities.RunStatus.to_string(theirs) == word
    assert {name for name in autolog.entities.__all__ if not hasattr(mlflow.entities, name)} == {
        "MetricSummary",
        "Page",
    }
