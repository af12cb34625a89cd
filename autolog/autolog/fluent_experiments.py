"""Experiments: choosing the active one, making, finding, tagging and putting them away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autolog._paging import collect
from autolog_core import config
from autolog_core.entities import Experiment, LifecycleStage, ViewType
from autolog_core.errors import InvalidArgument
from autolog_core.runs import choose_experiment, named_experiment
from autolog_core.session import default_session

if TYPE_CHECKING:
    from autolog_core.session import Session

_chosen_name: str | None = None


def set_experiment(
    experiment_name: str | None = None, experiment_id: str | None = None
) -> Experiment:
    """Makes an experiment the one that new runs belong to, in this process and its children.

    Without it that is the experiment of AUTOLOG_EXPERIMENT_NAME or MLFLOW_EXPERIMENT_NAME (created
    if there is none), else of AUTOLOG_EXPERIMENT_ID or MLFLOW_EXPERIMENT_ID, else "0".

    Args:
        experiment_name: Its name; created if there is none.
        experiment_id: Its id, instead of the name.

    Returns:
        The experiment.

    Raises:
        InvalidArgument: Both or neither are given, or the experiment is deleted.
        NotFound: There is no experiment of that id.
    """
    global _chosen_name
    if (experiment_name is None) == (experiment_id is None):
        raise InvalidArgument(
            "set_experiment() takes either experiment_name or experiment_id, got "
            f"experiment_name={experiment_name!r} and experiment_id={experiment_id!r}"
        )
    session = default_session()
    if experiment_name is not None:
        experiment_id = named_experiment(session, experiment_name)
    experiment = session.read().get_experiment(str(experiment_id))
    if experiment.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidArgument(
            f"experiment {experiment.name!r} (id {experiment.experiment_id}) is deleted: bring it "
            f"back with restore_experiment({experiment.experiment_id!r}), or choose another"
        )
    _chosen_name = experiment.name
    session.chosen_experiment = experiment.experiment_id
    config.export("EXPERIMENT_ID", experiment.experiment_id)
    config.export("EXPERIMENT_NAME", None)
    if config.read_settings().experiment_name is not None:
        # A name from MLFLOW_EXPERIMENT_NAME would win over the id in a child process.
        config.export("EXPERIMENT_NAME", experiment.name)
    return experiment


def carry_choice() -> None:
    """Lets the chosen experiment's name, not its id, count in the session that comes next."""
    if _chosen_name is not None:
        config.export("EXPERIMENT_ID", None)
        config.export("EXPERIMENT_NAME", _chosen_name)


def create_experiment(
    name: str, artifact_location: str | None = None, tags: Mapping[str, Any] | None = None
) -> str:
    """Creates an experiment and returns its id.

    Args:
        name: Unique, deleted experiments included.
        artifact_location: Address under which its runs keep artifacts; by default beside the store.
        tags: Tags to set, as text.

    Raises:
        AlreadyExists: The name is taken.
        InvalidArgument: The name, location or a tag breaks a limit.
    """
    return new_experiment(default_session(), name, artifact_location, tags)


def new_experiment(
    session: Session,
    name: str,
    artifact_location: str | None = None,
    tags: Mapping[str, Any] | None = None,
) -> str:
    """Creates an experiment in a session's store and returns its id; see `create_experiment`."""
    texts = None if tags is None else {key: str(value) for key, value in tags.items()}
    location = None if artifact_location is None else str(artifact_location)
    return session.read().create_experiment(name, location, texts)


def get_experiment(experiment_id: str) -> Experiment:
    """Returns the experiment of an id, deleted ones included.

    Raises:
        NotFound: There is none.
    """
    return default_session().read().get_experiment(str(experiment_id))


def get_experiment_by_name(name: str) -> Experiment | None:
    """Returns the experiment of a name, deleted ones included, or None."""
    return default_session().read().get_experiment_by_name(name)


def search_experiments(
    view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
) -> list[Experiment]:
    """Returns the experiments that match, newest first unless `order_by` says otherwise.

    Args:
        view_type: `ViewType.ACTIVE_ONLY`, `DELETED_ONLY` or `ALL`.
        max_results: How many at most; None for all.
        filter_string: Such as ``"name LIKE 'churn%' AND tags.team = 'risk'"``.
        order_by: Such as ``["name", "creation_time DESC"]``.

    Raises:
        InvalidFilter: The filter or ordering cannot be read.
    """
    store = default_session().read()
    return collect(
        lambda size, token: store.search_experiments(
            filter_string, view_type, size, order_by, token
        ),
        max_results,
    )


def delete_experiment(experiment_id: str) -> None:
    """Puts an experiment and its runs away; `restore_experiment` brings them back.

    Raises:
        NotFound: There is no active experiment of that id.
    """
    remove_experiment(default_session(), str(experiment_id))


def remove_experiment(session: Session, experiment_id: str) -> None:
    """Puts an experiment of a session's store away; see `delete_experiment`."""
    session.read().delete_experiment(experiment_id)
    session.forget(experiment_id=experiment_id)


def restore_experiment(experiment_id: str) -> None:
    """Brings back a deleted experiment and the runs deleted with it.

    Raises:
        NotFound: There is no deleted experiment of that id.
    """
    revive_experiment(default_session(), str(experiment_id))


def revive_experiment(session: Session, experiment_id: str) -> None:
    """Brings back an experiment of a session's store; see `restore_experiment`."""
    session.read().restore_experiment(experiment_id)
    session.forget(experiment_id=experiment_id)


def set_experiment_tag(key: str, value: Any) -> None:
    """Sets a tag of the active experiment; the value becomes text."""
    set_experiment_tags({key: value})


def set_experiment_tags(tags: Mapping[str, Any]) -> None:
    """Sets tags of the active experiment; the values become text."""
    session = default_session()
    experiment_id = choose_experiment(session)
    store = session.read()
    for key, value in tags.items():
        store.set_experiment_tag(experiment_id, key, str(value))


def delete_experiment_tag(key: str) -> None:
    """Removes a tag of the active experiment.

    Raises:
        NotFound: There is no such tag.
    """
    session = default_session()
    session.read().delete_experiment_tag(choose_experiment(session), key)
