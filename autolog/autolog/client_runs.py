"""Client methods for runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autolog import fluent_runs as shared
from autolog.client_base import ClientBase
from autolog_core.entities import Page, Run, RunStatus, ViewType
from autolog_core.errors import InvalidArgument
from autolog_core.runs import NAME_TAG, finish_run


class RunMethods(ClientBase):
    """Runs: making, changing, ending, finding, putting away."""

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: Mapping[str, Any] | None = None,
        run_name: str | None = None,
    ) -> Run:
        """Creates a run that goes on until `set_terminated`, whatever becomes of this process.

        Args:
            experiment_id: Where it belongs.
            start_time: Milliseconds since the epoch; now if absent or 0.
            tags: Tags to set, as text.
            run_name: Its name; a random one if absent.

        Raises:
            NotFound: There is no such experiment.
            InvalidArgument: It is deleted, or `run_name` and the tag ``mlflow.runName`` disagree.
        """
        session = self._session
        named = (tags or {}).get(NAME_TAG)
        if run_name and named is not None and str(named) != run_name:
            raise InvalidArgument(
                f"run_name {run_name!r} and the tag {NAME_TAG} {named!r} disagree: give one of them"
            )
        live = session.create_run(
            str(experiment_id),
            name=run_name or (None if named is None else str(named)),
            tags=tags,
            start_time=start_time or None,
            owned=False,
        )
        return session.read().get_run(live.run_id)

    def get_run(self, run_id: str) -> Run:
        """Returns a run with all that was logged to it, deleted ones included.

        Raises:
            NotFound: There is none.
        """
        return self._session.read().get_run(run_id)

    def get_parent_run(self, run_id: str) -> Run | None:
        """Returns the parent of a run, or None if it has none.

        Raises:
            NotFound: There is no such run, or its parent is gone.
        """
        return shared.parent_of(self._session, run_id)

    def update_run(self, run_id: str, status: str | None = None, name: str | None = None) -> None:
        """Changes the status or the name of a run.

        Raises:
            NotFound: There is no such run.
            InvalidArgument: It is deleted, or an argument is off.
        """
        self._session.live(run_id).update(status=status, name=name)

    def set_terminated(
        self, run_id: str, status: str | None = None, end_time: int | None = None
    ) -> None:
        """Ends a run.

        Args:
            run_id: The run.
            status: FINISHED if absent.
            end_time: Milliseconds since the epoch; now if absent or 0.

        Raises:
            NotFound: There is no such run.
            InvalidArgument: It is deleted, or an argument is off.
        """
        session = self._session
        word = RunStatus.FINISHED if status is None else RunStatus.check(status)
        finish_run(session.live(run_id), word, session=session, end_time=end_time or None)

    def delete_run(self, run_id: str) -> None:
        """Puts a run away.

        Raises:
            NotFound: There is none.
        """
        shared.remove_run(self._session, run_id)

    def restore_run(self, run_id: str) -> None:
        """Brings back a deleted run.

        Raises:
            NotFound: There is none.
        """
        shared.revive_run(self._session, run_id)

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str = "",
        run_view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Page[Run]:
        """Returns a page of runs that match, newest first by default.

        Args:
            experiment_ids: Where to look.
            filter_string: Such as ``"metrics.loss < 0.1 AND params.lr = '0.1'"``.
            run_view_type: `ViewType.ACTIVE_ONLY`, `DELETED_ONLY` or `ALL`.
            max_results: Size of the page.
            order_by: Such as ``["metrics.loss ASC"]``.
            page_token: `token` of the page before.

        Raises:
            InvalidFilter: The filter or ordering cannot be read.
        """
        places = [experiment_ids] if isinstance(experiment_ids, (str, int)) else experiment_ids
        return self._session.read().search_runs(
            [str(place) for place in places],
            filter_string,
            run_view_type,
            max_results,
            order_by,
            page_token,
        )
