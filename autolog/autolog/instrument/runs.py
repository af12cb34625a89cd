"""Runs that a recorder opens and ends: as the fluent API does, so that the two agree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autolog_core import limits
from autolog_core.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autolog.instrument.spec import Options
    from autolog_core.live import LiveRun
    from autolog_core.session import Session

AUTOLOGGING_TAG = "mlflow.autologging"
PARENT_TAG = "mlflow.parentRunId"


def open_run(name: str | None) -> LiveRun:
    """Begins a run, in the active one if there is one, and makes it the active one."""
    from autolog import _active, fluent_runs

    fluent_runs.start_run(run_name=name, nested=_active.current() is not None)
    return _active.stack.get()[-1]


def close_run(live: LiveRun, status: str, error: BaseException | None) -> None:
    """Ends a run, with what made it fail."""
    from autolog import fluent_runs

    fluent_runs.close_run(live, status, error)


def begin_child(
    session: Session, parent: LiveRun, name: str, tags: Mapping[str, str], start_time: int | None
) -> LiveRun:
    """Begins a child of a run, which is not made the active one.

    Args:
        session: Where the two are kept.
        parent: The run.
        name: Of the child.
        tags: Besides those that say what it is.
        start_time: Milliseconds since the epoch; now if absent.
    """
    from autolog_core.runs import source_tags

    own = {PARENT_TAG: parent.run_id, AUTOLOGGING_TAG: parent.tags.get(AUTOLOGGING_TAG, "")}
    live = session.create_run(
        parent.experiment_id,
        name=name,
        tags={**source_tags(session), **own, **tags},
        start_time=start_time,
    )
    session.open_runs[live.run_id] = live
    return live


def take_up(session: Session, live: LiveRun) -> bool:
    """Makes an ended run RUNNING again; False where its session is closed."""
    try:
        live.resume()
    except InvalidArgument:
        # The program tracks elsewhere by now.
        return False
    session.open_runs[live.run_id] = live
    if session.settings.system_metrics:
        session.watch(live)
    return True


def extra_tags(options: Options) -> dict[str, str]:
    """Returns the tags that the user wants on every run."""
    tags = {key: str(value) for key, value in (options.extra_tags or {}).items()}
    tags.pop(AUTOLOGGING_TAG, None)
    return tags


def fitting_params(
    values: Sequence[tuple[str, object]], known: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Returns params as a run can hold them.

    Args:
        values: With legal names.
        known: What the run holds.

    Returns:
        What can be logged, cut where it is too long; the whole texts of what was cut; and what the
        run holds under the names of those that differ, which are left out.
    """
    fresh: dict[str, str] = {}
    long: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for name, value in values:
        text = str(value)
        if len(text) > limits.PARAM_VALUE_LENGTH:
            long[name] = text
            text = text[: limits.PARAM_VALUE_LENGTH - 3] + "..."
        held = known.get(name, fresh.get(name, text))
        if held != text:
            left_out[name] = held
        else:
            fresh[name] = text
    return fresh, long, left_out


def plain_key(key: str) -> str:
    """Returns a legal name of a param or metric that is like `key`."""
    plain = re.sub(r"[^/\w.\- :]", "_", key)
    plain = "/".join(part for part in plain.split("/") if part.strip(".")) or "_"
    return plain[: limits.KEY_LENGTH].rstrip("/")
