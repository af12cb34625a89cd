"""Statements about writers: how far each process's journal is applied."""

from __future__ import annotations

import time

from sqlalchemy import Connection, bindparam, delete, select, update

from autolog_core.entities import LoggedModelStatus, RunStatus
from autolog_core.stores.operations import OwnedModel, WriterMark
from autolog_core.stores.sql.chunks import Appender
from autolog_core.stores.sql.dialect import upsert
from autolog_core.stores.sql.schema import journal_writers, logged_models, runs, tags
from autolog_core.stores.sql.values import write_tags

CAUSE_TAG = "autolog.end_cause"
KEPT = 30 * 24 * 3600 * 1000
"""Milliseconds for which the position of a writer that is gone is kept: its journal may be
replayed once more if a process dies between applying and deleting it."""
_GONE = -1
_w = journal_writers.c
_m = logged_models
_POSITION = select(_w.position).where(_w.writer_id == bindparam("writer_id")).with_for_update()


def get_position(connection: Connection, writer_id: str) -> int:
    """Returns the position up to which a writer's journal is applied; 0 if never."""
    return connection.scalar(_POSITION, {"writer_id": writer_id}) or 0


def list_owned_models(connection: Connection, writer_id: str) -> list[OwnedModel]:
    """Returns the models that a writer left PENDING, and those it PRUNED."""
    rows = connection.execute(
        select(_m.c.model_id, _m.c.status, _m.c.artifact_location)
        .where(_m.c.owner == writer_id)
        .order_by(_m.c.model_id)
    )
    return [OwnedModel(*row) for row in rows]


def set_mark(connection: Connection, mark: WriterMark) -> None:
    """Records how far a writer's journal is applied."""
    connection.execute(
        upsert(connection, journal_writers, "position", "last_time", "host", "pid"),
        [
            {
                "writer_id": mark.writer_id,
                "position": mark.position,
                "last_time": mark.last_time,
                "host": mark.host[:256],
                "pid": mark.pid,
            }
        ],
    )


def close(connection: Connection, writer_id: str, cause: str | None) -> list[str]:
    """Takes a writer off, and ends what it left open if `cause` is given."""
    now = time.time_ns() // 1_000_000
    last_time = connection.scalar(select(_w.last_time).where(_w.writer_id == writer_id))
    rows = connection.execute(
        select(runs.c.run_id, runs.c.experiment_id, runs.c.start_time)
        .where(runs.c.owner == writer_id)
        .order_by(runs.c.run_id)
    ).all()
    if cause is not None:
        for run_id, _, start_time in rows:
            connection.execute(
                update(runs)
                .where(runs.c.run_id == run_id)
                .values(status=RunStatus.FAILED, end_time=max(start_time, last_time or now))
            )
        experiment_ids = {run_id: experiment_id for run_id, experiment_id, _ in rows}
        write_tags(
            connection,
            tags,
            {(run_id, CAUSE_TAG): cause for run_id in experiment_ids},
            experiment_ids,
            set(),
        )
        if experiment_ids:
            Appender(connection).compact(list(experiment_ids))
        _fail_models(connection, writer_id, cause, last_time or now)
    connection.execute(update(runs).where(runs.c.owner == writer_id).values(owner=None))
    connection.execute(update(_m).where(_m.c.owner == writer_id).values(owner=None))
    connection.execute(update(journal_writers).where(_w.writer_id == writer_id).values(pid=_GONE))
    connection.execute(delete(journal_writers).where(_w.pid == _GONE, _w.last_time < now - KEPT))
    return [run_id for run_id, _, _ in rows]


def _fail_models(connection: Connection, writer_id: str, cause: str, moment: int) -> None:
    """What was being saved when the writer went is not whole."""
    connection.execute(
        update(_m)
        .where(_m.c.owner == writer_id, _m.c.status == LoggedModelStatus.PENDING.value)
        .values(
            status=LoggedModelStatus.FAILED.value,
            status_message=f"it was not finished when its writer ended: {cause}",
            last_updated_timestamp=moment,
        )
    )
