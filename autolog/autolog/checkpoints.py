"""Checkpoints: saved as often as a policy says, found by their scores, pruned when there are many.

``autolog.checkpoint(model, step=..., metrics=...)`` is called once per epoch, or every few steps.
Each checkpoint is a logged model with an id and metrics of its own.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autolog import fluent_runs, fluent_values
from autolog._datasets import dataset_record
from autolog.instrument import checkpoints as core
from autolog_core import limits
from autolog_core.errors import InvalidArgument
from autolog_core.models.policy import CheckpointPolicy as CheckpointPolicy
from autolog_core.models.policy import check_monitor

if TYPE_CHECKING:
    from autolog_core.models.manifest import ModelInfo

# In this order: an XGBClassifier is an estimator of scikit-learn too, and a model of Keras may be
# a module of torch. Classes are told by their names, so that no library is imported for it.
_ROOMS = (
    ("keras", "Model", "keras"),
    ("xgboost", "Booster", "xgboost"),
    ("xgboost", "XGBModel", "xgboost"),
    ("lightgbm", "Booster", "lightgbm"),
    ("lightgbm", "LGBMModel", "lightgbm"),
    ("catboost", "CatBoost", "catboost"),
    ("torch", "Module", "pytorch"),
    ("sklearn", "BaseEstimator", "sklearn"),
    ("autolog", "PythonModel", "pyfunc"),
    ("mlflow", "PythonModel", "pyfunc"),
)


def set_checkpoint_policy(policy: CheckpointPolicy | None) -> None:
    """Sets the policy for the checkpoints of this thread or task where `checkpoint` names none.

    Args:
        policy: The policy; None for the default: each epoch is saved, and all are kept.

    Raises:
        InvalidArgument: It is no `CheckpointPolicy`.
    """
    core.set_policy(None if policy is None else _checked(policy))


def checkpoint(
    model: Any,
    *,
    step: int,
    epoch: int | None = None,
    metrics: Mapping[str, Any] | None = None,
    policy: CheckpointPolicy | None = None,
    name: str | None = None,
    dataset: Any = None,
    group: str | None = None,
    **log_model_options: Any,
) -> ModelInfo | None:
    """Logs a model as a checkpoint of the active run if one is due; starts a run if there is none.

    The caller waits for a copy of the model; its files are written in the background, and then the
    weights are deleted of the checkpoints that the policy does not keep.

    Args:
        model: Of torch.nn (Lightning included), Keras, scikit-learn, XGBoost, LightGBM or
            CatBoost, or an `autolog.pyfunc.PythonModel`.
        step: Step of the training.
        epoch: Its epoch. Without it each call counts as one.
        metrics: Values at this step, logged whether a checkpoint is due or not; those of a
            checkpoint belong to it.
        policy: When to save, and what to keep; by default as `set_checkpoint_policy` says, or each
            epoch and all of it.
        name: Name of the logged model; ``checkpoint-<step>`` if absent.
        dataset: The dataset that `metrics` were computed on; also an input of the run.
        group: Checkpoints of a run are counted, scored and pruned within their group: the name of
            the model's class if absent. Name one where a run trains two models of one class.
        log_model_options: What the library's ``log_model`` takes besides.

    Returns:
        What is known of the logged model; None if no checkpoint is due. Its `wait` returns when its
        files are written, and those deleted that are not kept.

    Raises:
        InvalidArgument: An argument is off, the model is of no known kind, or the policy decides
            by a metric that was never given.
    """
    chosen = core.current_policy() if policy is None else _checked(policy)
    room = room_of(model)
    step = limits.check_int64(step, "step")
    epoch = None if epoch is None else limits.check_int64(epoch, "epoch")
    values = {
        limits.check_key(key, "metric"): limits.check_metric_value(key, value)
        for key, value in (metrics or {}).items()
    }
    if dataset is not None:
        dataset_record(dataset)
    group = limits.check_text(group or type(model).__qualname__, limits.TAG_VALUE_LENGTH, "group")
    run = fluent_runs.live_run()
    session = fluent_runs.session_of(run)
    check_monitor(chosen, core.state_of(session, run, chosen, group), values)
    tags = log_model_options.pop("tags", None) or {}

    def save(own: dict[str, str]) -> ModelInfo:
        return _log_model(
            room,
            model,
            name=f"checkpoint-{step}" if name is None else name,
            step=step,
            tags={**tags, **own},
            **log_model_options,
        )

    info = core.save_checkpoint(
        session, run, chosen, save, group=group, step=step, epoch=epoch, metrics=values
    )
    if values:
        model_id = None if info is None else info.model_id
        fluent_values.log_metrics(values, step=step, model_id=model_id, dataset=dataset)
    return info


def room_of(model: Any) -> str:
    """Returns the module of autolog that saves models of this kind, such as ``"sklearn"``.

    Raises:
        InvalidArgument: There is none.
    """
    kinds = {(cls.__module__.partition(".")[0], cls.__name__) for cls in type(model).__mro__}
    for library, name, room in _ROOMS:
        if (library, name) in kinds:
            return room
    raise InvalidArgument(
        f"checkpoint() cannot tell how to save a model of type {type(model).__name__}: it takes "
        "models of torch.nn, Keras, scikit-learn, XGBoost, LightGBM and CatBoost, and "
        "autolog.pyfunc.PythonModel; wrap yours in a PythonModel"
    )


def _log_model(room: str, model: Any, **options: Any) -> ModelInfo:
    module = importlib.import_module(f"autolog.{room}")
    if room == "pyfunc":
        info: ModelInfo = module.log_model(python_model=model, **options)
    else:
        info = module.log_model(model, **options)
    return info


def _checked(policy: object) -> CheckpointPolicy:
    if not isinstance(policy, CheckpointPolicy):
        raise InvalidArgument(
            f"policy must be a CheckpointPolicy, got {policy!r}; write "
            "CheckpointPolicy(keep_best=2, keep_last=1)"
        )
    return policy
