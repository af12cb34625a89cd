"""One line before your training code, and every run is captured, searchable and comparable.

``import autolog`` loads nothing but this file: each name is fetched from its module at first use.
``import autolog as mlflow`` serves tracking code that was written for MLflow 3.
"""

# typing.TYPE_CHECKING without loading typing: type checkers take any name of this spelling as true.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from autolog import artifacts as artifacts
    from autolog import catboost as catboost
    from autolog import client as client
    from autolog import config as config
    from autolog import data as data
    from autolog import entities as entities
    from autolog import exceptions as exceptions
    from autolog import keras as keras
    from autolog import lightgbm as lightgbm
    from autolog import lightning as lightning
    from autolog import models as models
    from autolog import pyfunc as pyfunc
    from autolog import pytorch as pytorch
    from autolog import sklearn as sklearn
    from autolog import system_metrics as system_metrics
    from autolog import tensorflow as tensorflow
    from autolog import tracking as tracking
    from autolog import utils as utils
    from autolog import xgboost as xgboost
    from autolog.active_model import ActiveModel as ActiveModel
    from autolog.active_model import clear_active_model as clear_active_model
    from autolog.active_model import get_active_model_id as get_active_model_id
    from autolog.active_model import set_active_model as set_active_model
    from autolog.api import autolog as autolog
    from autolog.api import disabled as disabled
    from autolog.api import status as status
    from autolog.checkpoints import CheckpointPolicy as CheckpointPolicy
    from autolog.checkpoints import checkpoint as checkpoint
    from autolog.checkpoints import set_checkpoint_policy as set_checkpoint_policy
    from autolog.client import MlflowClient as MlflowClient
    from autolog.exceptions import AutologError as AutologError
    from autolog.exceptions import MlflowException as MlflowException
    from autolog.fluent_artifacts import (
        flush_artifact_async_logging as flush_artifact_async_logging,
    )
    from autolog.fluent_artifacts import get_artifact_uri as get_artifact_uri
    from autolog.fluent_artifacts import load_table as load_table
    from autolog.fluent_artifacts import log_artifact as log_artifact
    from autolog.fluent_artifacts import log_artifacts as log_artifacts
    from autolog.fluent_artifacts import log_dict as log_dict
    from autolog.fluent_artifacts import log_figure as log_figure
    from autolog.fluent_artifacts import log_image as log_image
    from autolog.fluent_artifacts import log_stream as log_stream
    from autolog.fluent_artifacts import log_table as log_table
    from autolog.fluent_artifacts import log_text as log_text
    from autolog.fluent_experiments import create_experiment as create_experiment
    from autolog.fluent_experiments import delete_experiment as delete_experiment
    from autolog.fluent_experiments import delete_experiment_tag as delete_experiment_tag
    from autolog.fluent_experiments import get_experiment as get_experiment
    from autolog.fluent_experiments import get_experiment_by_name as get_experiment_by_name
    from autolog.fluent_experiments import restore_experiment as restore_experiment
    from autolog.fluent_experiments import search_experiments as search_experiments
    from autolog.fluent_experiments import set_experiment as set_experiment
    from autolog.fluent_experiments import set_experiment_tag as set_experiment_tag
    from autolog.fluent_experiments import set_experiment_tags as set_experiment_tags
    from autolog.fluent_models import create_external_model as create_external_model
    from autolog.fluent_models import delete_logged_model as delete_logged_model
    from autolog.fluent_models import delete_logged_model_tag as delete_logged_model_tag
    from autolog.fluent_models import finalize_logged_model as finalize_logged_model
    from autolog.fluent_models import get_logged_model as get_logged_model
    from autolog.fluent_models import initialize_logged_model as initialize_logged_model
    from autolog.fluent_models import last_logged_model as last_logged_model
    from autolog.fluent_models import log_model_params as log_model_params
    from autolog.fluent_models import log_outputs as log_outputs
    from autolog.fluent_models import restore_logged_model as restore_logged_model
    from autolog.fluent_models import search_logged_models as search_logged_models
    from autolog.fluent_models import set_logged_model_tags as set_logged_model_tags
    from autolog.fluent_runs import active_run as active_run
    from autolog.fluent_runs import delete_run as delete_run
    from autolog.fluent_runs import end_run as end_run
    from autolog.fluent_runs import get_parent_run as get_parent_run
    from autolog.fluent_runs import get_run as get_run
    from autolog.fluent_runs import last_active_run as last_active_run
    from autolog.fluent_runs import restore_run as restore_run
    from autolog.fluent_runs import start_run as start_run
    from autolog.fluent_search import search_runs as search_runs
    from autolog.fluent_values import delete_tag as delete_tag
    from autolog.fluent_values import flush_async_logging as flush_async_logging
    from autolog.fluent_values import log_input as log_input
    from autolog.fluent_values import log_inputs as log_inputs
    from autolog.fluent_values import log_metric as log_metric
    from autolog.fluent_values import log_metrics as log_metrics
    from autolog.fluent_values import log_param as log_param
    from autolog.fluent_values import log_params as log_params
    from autolog.fluent_values import set_tag as set_tag
    from autolog.fluent_values import set_tags as set_tags
    from autolog.handle import ActiveRun as ActiveRun
    from autolog.image import Image as Image
    from autolog.system_metrics import (
        disable_system_metrics_logging as disable_system_metrics_logging,
    )
    from autolog.system_metrics import (
        enable_system_metrics_logging as enable_system_metrics_logging,
    )
    from autolog.system_metrics import set_system_metrics_node_id as set_system_metrics_node_id
    from autolog.system_metrics import (
        set_system_metrics_samples_before_logging as set_system_metrics_samples_before_logging,
    )
    from autolog.system_metrics import (
        set_system_metrics_sampling_interval as set_system_metrics_sampling_interval,
    )
    from autolog.tracking.address import get_tracking_uri as get_tracking_uri
    from autolog.tracking.address import is_tracking_uri_set as is_tracking_uri_set
    from autolog.tracking.address import set_tracking_uri as set_tracking_uri
    from autolog_core import __version__ as __version__

_MODULES = {
    "artifacts",
    "catboost",
    "client",
    "config",
    "data",
    "entities",
    "exceptions",
    "keras",
    "lightgbm",
    "lightning",
    "models",
    "pyfunc",
    "pytorch",
    "sklearn",
    "system_metrics",
    "tensorflow",
    "tracking",
    "utils",
    "xgboost",
}

_NAMES = {
    "active_model": (
        "ActiveModel",
        "clear_active_model",
        "get_active_model_id",
        "set_active_model",
    ),
    "handle": ("ActiveRun",),
    "api": ("autolog", "disabled", "status"),
    "checkpoints": ("CheckpointPolicy", "checkpoint", "set_checkpoint_policy"),
    "client": ("MlflowClient",),
    "exceptions": ("AutologError", "MlflowException"),
    "fluent_artifacts": (
        "flush_artifact_async_logging",
        "get_artifact_uri",
        "load_table",
        "log_artifact",
        "log_artifacts",
        "log_dict",
        "log_figure",
        "log_image",
        "log_stream",
        "log_table",
        "log_text",
    ),
    "fluent_experiments": (
        "create_experiment",
        "delete_experiment",
        "delete_experiment_tag",
        "get_experiment",
        "get_experiment_by_name",
        "restore_experiment",
        "search_experiments",
        "set_experiment",
        "set_experiment_tag",
        "set_experiment_tags",
    ),
    "fluent_models": (
        "create_external_model",
        "delete_logged_model",
        "delete_logged_model_tag",
        "finalize_logged_model",
        "get_logged_model",
        "initialize_logged_model",
        "last_logged_model",
        "log_model_params",
        "log_outputs",
        "restore_logged_model",
        "search_logged_models",
        "set_logged_model_tags",
    ),
    "fluent_runs": (
        "active_run",
        "delete_run",
        "end_run",
        "get_parent_run",
        "get_run",
        "last_active_run",
        "restore_run",
        "start_run",
    ),
    "fluent_search": ("search_runs",),
    "fluent_values": (
        "delete_tag",
        "flush_async_logging",
        "log_input",
        "log_inputs",
        "log_metric",
        "log_metrics",
        "log_param",
        "log_params",
        "set_tag",
        "set_tags",
    ),
    "image": ("Image",),
    "system_metrics": (
        "disable_system_metrics_logging",
        "enable_system_metrics_logging",
        "set_system_metrics_node_id",
        "set_system_metrics_samples_before_logging",
        "set_system_metrics_sampling_interval",
    ),
    "tracking.address": ("get_tracking_uri", "is_tracking_uri_set", "set_tracking_uri"),
}

_HOMES = {name: f"autolog.{module}" for module, names in _NAMES.items() for name in names}
_HOMES["__version__"] = "autolog_core"

__all__ = [*_HOMES, *_MODULES]  # noqa: PLE0604


# Type checkers know the names from above; this would make them take any other for one as well.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        from importlib import import_module

        home = _HOMES.get(name)
        if home is not None:
            value: object = getattr(import_module(home), name)
        elif name in _MODULES:
            value = import_module(f"autolog.{name}")
        else:
            raise AttributeError(f"module 'autolog' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
