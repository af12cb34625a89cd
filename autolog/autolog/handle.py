"""The run that `start_run` returns: a `Run` that is still being written."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from autolog_core.entities import Run, RunData, RunInfo, RunInputs, RunOutputs

if TYPE_CHECKING:
    from autolog_core.live import LiveRun
    from autolog_core.session import Session


class ActiveRun(Run):
    """A run of this process, usable as a context manager.

    `info` comes from memory; `data`, `inputs` and `outputs` are read from the store each time, so
    they hold all that was logged so far. Leaving the ``with`` block ends the run: FAILED on an
    exception, else FINISHED.
    """

    __slots__ = ("_live", "_session")

    _live: LiveRun
    _session: Session

    def __init__(self, live: LiveRun, session: Session) -> None:
        object.__setattr__(self, "_live", live)
        object.__setattr__(self, "_session", session)

    @property
    def info(self) -> RunInfo:
        """What identifies the run."""
        live = self._live
        return RunInfo(
            run_id=live.run_id,
            experiment_id=live.experiment_id,
            run_name=live.name,
            user_id=live.user_id,
            status=live.status,
            start_time=live.start_time,
            end_time=live.end_time,
            artifact_uri=live.artifact_uri,
        )

    @property
    def data(self) -> RunData:
        """What was logged so far."""
        return self._stored().data

    @property
    def inputs(self) -> RunInputs:
        """What went into the run so far."""
        return self._stored().inputs

    @property
    def outputs(self) -> RunOutputs:
        """What came out of the run so far."""
        return self._stored().outputs

    def _stored(self) -> Run:
        return self._session.read().get_run(self._live.run_id)

    def __enter__(self) -> ActiveRun:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        from autolog import fluent_runs

        fluent_runs.close_run(self._live, "FINISHED" if kind is None else "FAILED", error)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActiveRun) and other._live.run_id == self._live.run_id

    def __hash__(self) -> int:
        return hash(self._live.run_id)

    def __repr__(self) -> str:
        live = self._live
        return f"<ActiveRun {live.name!r} {live.run_id} {live.status}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # A run that is being written cannot travel: its copy is the record of it.
        stored = self._stored()
        return Run, (stored.info, stored.data, stored.inputs, stored.outputs)
