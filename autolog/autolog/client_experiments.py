"""Client methods for experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autolog import fluent_experiments as shared
from autolog.client_base import ClientBase
from autolog_core.entities import Experiment, Page, ViewType


class ExperimentMethods(ClientBase):
    """Experiments: making, finding, tagging and putting them away."""

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> str:
        """Creates an experiment and returns its id.

        Args:
            name: Unique, deleted experiments included.
            artifact_location: Address under which its runs keep artifacts; by default beside the
                store.
            tags: Tags to set, as text.

        Raises:
            AlreadyExists: The name is taken.
            InvalidArgument: The name, location or a tag breaks a limit.
        """
        return shared.new_experiment(self._session, name, artifact_location, tags)

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Returns the experiment of an id, deleted ones included.

        Raises:
            NotFound: There is none.
        """
        return self._session.read().get_experiment(str(experiment_id))

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Returns the experiment of a name, deleted ones included, or None."""
        return self._session.read().get_experiment_by_name(name)

    def search_experiments(
        self,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int | None = 1000,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Page[Experiment]:
        """Returns a page of experiments that match, newest first by default.

        Args:
            view_type: `ViewType.ACTIVE_ONLY`, `DELETED_ONLY` or `ALL`.
            max_results: Size of the page; 1,000 for None.
            filter_string: Such as ``"name LIKE 'churn%'"``.
            order_by: Such as ``["name", "creation_time DESC"]``.
            page_token: `token` of the page before.

        Raises:
            InvalidFilter: The filter or ordering cannot be read.
        """
        size = 1000 if max_results is None else max_results
        store = self._session.read()
        return store.search_experiments(filter_string, view_type, size, order_by, page_token)

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Renames an active experiment.

        Raises:
            NotFound: There is none.
            InvalidState: It is deleted.
            AlreadyExists: The name is taken.
        """
        session = self._session
        session.read().rename_experiment(str(experiment_id), new_name)
        session.forget(experiment_id=str(experiment_id))

    def delete_experiment(self, experiment_id: str) -> None:
        """Puts an experiment and its runs away.

        Raises:
            NotFound: There is no active experiment of that id.
        """
        shared.remove_experiment(self._session, str(experiment_id))

    def restore_experiment(self, experiment_id: str) -> None:
        """Brings back a deleted experiment and the runs deleted with it.

        Raises:
            NotFound: There is no deleted experiment of that id.
        """
        shared.revive_experiment(self._session, str(experiment_id))

    def set_experiment_tag(self, experiment_id: str, key: str, value: Any) -> None:
        """Sets a tag of an experiment; the value becomes text.

        Raises:
            NotFound: There is no such experiment.
            InvalidArgument: It is deleted, or key or value break a limit.
        """
        self._session.read().set_experiment_tag(str(experiment_id), key, str(value))

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Removes a tag of an experiment.

        Raises:
            NotFound: There is no such experiment or tag.
        """
        self._session.read().delete_experiment_tag(str(experiment_id), key)
