"""How a run begins and ends: its tags, what is captured around it, and how it failed."""

from __future__ import annotations

import logging
import shlex
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from autolog_core import limits
from autolog_core.entities import LifecycleStage, RunStatus
from autolog_core.errors import AutologError, InvalidArgument
from autolog_core.live import LiveRun

if TYPE_CHECKING:
    from autolog_core.capture.collect import Captured
    from autolog_core.session import Session

logger = logging.getLogger("autolog")

NAME_TAG = "mlflow.runName"
PARENT_TAG = "mlflow.parentRunId"
NOTE_TAG = "mlflow.note.content"
FAILURE_FILE = "failure/traceback.txt"

_FRESH = 2.0
"""Seconds for which a look at the code's state serves the runs that start meanwhile."""
_LONGEST_WAIT = 30.0
_NOTICE = 2.0
"""Seconds after which a process that ends says what it waits for."""


def choose_experiment(session: Session) -> str:
    """Returns the id of the experiment for new runs.

    It is the one that was set on the session, else the one that the environment names (made if
    need be), else the default experiment.

    Raises:
        NotFound: The environment names an id that does not exist.
        InvalidArgument: The named experiment is deleted.
    """
    if session.chosen_experiment is None:
        name, number = session.settings.experiment_name, session.settings.experiment_id
        if name is not None:
            session.chosen_experiment = named_experiment(session, name)
        else:
            session.chosen_experiment = number or "0"
    return session.chosen_experiment


def named_experiment(session: Session, name: str) -> str:
    """Returns the id of the experiment `name`, which is made if need be.

    Raises:
        InvalidArgument: It is deleted, or the name breaks a limit.
    """
    from autolog_core.errors import AlreadyExists

    store = session.store()
    found = store.get_experiment_by_name(name)
    if found is None:
        try:
            return store.create_experiment(name)
        except AlreadyExists:
            # Another process was faster.
            found = store.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidArgument(
            f"experiment {name!r} (id {found.experiment_id}) is deleted: restore it with "
            "restore_experiment(), or choose another name"
        )
    return found.experiment_id


def begin_run(
    session: Session,
    *,
    experiment_id: str | None = None,
    run_id: str | None = None,
    run_name: str | None = None,
    tags: Mapping[str, object] | None = None,
    description: str | None = None,
    parent_run_id: str | None = None,
    log_system_metrics: bool | None = None,
) -> LiveRun:
    """Begins a run, or takes one up again, with all that is captured around it.

    Args:
        session: Where it is kept.
        experiment_id: Its experiment; by default the chosen one.
        run_id: A run to take up again.
        run_name: Its name; by default two words and a number.
        tags: Tags to set.
        description: Markdown text, kept in the tag ``mlflow.note.content``.
        parent_run_id: Makes it a child of that run.
        log_system_metrics: Whether CPU, memory, disk, network and GPU are sampled; by default what
            the settings say.

    Raises:
        NotFound: The run or experiment does not exist.
        InvalidArgument: It is deleted, or an argument breaks a limit.
    """
    labels: dict[str, object] = dict(tags or {})
    if description is not None:
        if NOTE_TAG in labels:
            raise InvalidArgument(
                f"description and the tag {NOTE_TAG} say the same thing: give one of them"
            )
        labels[NOTE_TAG] = description
    if parent_run_id is not None:
        labels[PARENT_TAG] = parent_run_id
    if run_id is not None:
        live = session.resume_run(run_id)
        if run_name is not None:
            labels[NAME_TAG] = run_name
        live.set_tags(labels)
    else:
        named = labels.get(NAME_TAG)
        if run_name is not None and named is not None and named != run_name:
            raise InvalidArgument(
                f"run_name {run_name!r} and the tag {NAME_TAG} {named!r} disagree: give one of them"
            )
        name = run_name if run_name is not None else named
        live = session.create_run(
            experiment_id or choose_experiment(session),
            name=None if name is None else str(name),
            tags={**source_tags(session), **labels},
        )
        session.background.submit(lambda: _capture(session, live))
    wanted = session.settings.system_metrics if log_system_metrics is None else log_system_metrics
    if wanted:
        session.watch(live)
    session.open_runs[live.run_id] = live
    return live


def finish_run(
    live: LiveRun,
    status: str = RunStatus.FINISHED,
    *,
    session: Session,
    exception: BaseException | None = None,
    end_time: int | None = None,
) -> None:
    """Ends a run.

    Args:
        live: The run.
        status: How it ended.
        session: Where it is kept.
        exception: Why it failed: kept as tags and, with its traceback, as an artifact.
        end_time: Milliseconds since the epoch; now if absent.
    """
    session.unwatch(live)
    session.open_runs.pop(live.run_id, None)
    if exception is not None:
        record_failure(live, exception)
    live.end(status, end_time)


def record_failure(live: LiveRun, exception: BaseException) -> None:
    """Keeps why a run failed: tags ``autolog.failure.*`` and the file `FAILURE_FILE`."""
    from autolog_core.artifacts.locate import open_repository
    from autolog_core.capture.failure import describe

    failure = describe(exception)
    live.set_tags(
        {"autolog.failure.type": failure.type, "autolog.failure.message": failure.message}
    )
    try:
        open_repository(live.artifact_uri).write_bytes(FAILURE_FILE, failure.traceback.encode())
    except AutologError as error:
        logger.warning("the traceback of run %s could not be kept: %s", live.run_id, error)


def finish_open_runs(session: Session) -> None:
    """Ends the runs that are left open: FAILED if an exception ended the process, else FINISHED."""
    error = getattr(sys, "last_value", None)
    failed = error is not None and not hasattr(sys, "ps1")
    for live in list(session.open_runs.values()):
        if not live.owned:
            continue
        try:
            finish_run(
                live,
                RunStatus.FAILED if failed else RunStatus.FINISHED,
                session=session,
                exception=error if failed else None,
            )
        except AutologError as problem:
            logger.warning("run %s could not be ended: %s", live.run_id, problem)
    session.background.wait(_LONGEST_WAIT)
    if not session.saving.wait(_NOTICE):
        logger.warning("autolog is still saving models; the process ends when they are saved")
        session.saving.wait()


def source_tags(session: Session) -> dict[str, str]:
    """Returns the tags that tell what program this process runs, and who runs it."""
    if session.source_tags is None:
        from autolog_core.capture.source import read_source

        source = read_source(notebook=session.settings.notebook)
        tags = {"mlflow.source.name": source.name, "mlflow.source.type": source.type}
        if source.arguments:
            text = shlex.join(source.arguments)
            tags["autolog.source.arguments"] = text[: limits.TAG_VALUE_LENGTH]
        if session.settings.user:
            tags["mlflow.user"] = session.settings.user
        session.source_tags = tags
    return session.source_tags


def _capture(session: Session, live: LiveRun) -> None:
    captured = _look(session)
    # What was known at the start stays: a worker's own entry point says nothing of the program.
    known = source_tags(session)
    live.set_tags({key: known.get(key, value) for key, value in captured.tags.items()})
    if captured.files:
        from autolog_core.artifacts.locate import open_repository

        repository = open_repository(live.artifact_uri)
        for path, data in captured.files.items():
            repository.write_bytes(path, data)


def _look(session: Session) -> Captured:
    from autolog_core.capture.collect import collect, read_facts

    if session.facts is None:
        session.facts = read_facts(session.settings)
    moment = time.monotonic()
    last = session.last_look
    if last is None or moment - last[0] > _FRESH:
        last = session.last_look = (moment, collect(session.settings, session.facts))
    return last[1]
