"""Runs and experiments as plain data for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autolog_core.cli.render.columns import Field, Group, differing, keys_of, value_of
from autolog_core.entities import Run

if TYPE_CHECKING:
    from autolog_core.stores.base import MetricSeries


def run_record(run: Run) -> dict[str, Any]:
    """Returns all of a run: what `Run.to_dictionary` gives, and summaries and outputs."""
    record = run.to_dictionary()
    record["data"]["summaries"] = {
        key: summary._asdict() for key, summary in run.data.summaries.items()
    }
    record["outputs"] = {
        "model_outputs": [
            {"model_id": output.model_id, "step": output.step}
            for output in run.outputs.model_outputs
        ]
    }
    return record


def series_record(series: MetricSeries) -> dict[str, list[int] | list[float]]:
    """Returns the points of a series, one list per column."""
    return {
        "steps": series.steps.tolist(),
        "timestamps": series.timestamps.tolist(),
        "values": series.values.tolist(),
    }


def compare_record(runs: Sequence[Run], everything: bool) -> dict[str, Any]:
    """Returns runs side by side.

    Args:
        runs: Two or more.
        everything: Whether keys whose value is the same in all of them are there.
    """
    record: dict[str, Any] = {"runs": [run.info.to_dictionary() for run in runs]}
    groups: tuple[Group, ...] = ("params", "metrics")
    for group in groups:
        keys = keys_of(runs, group) if everything else differing(runs, group)
        record[group] = {key: [value_of(run, Field(group, key)) for run in runs] for key in keys}
    return record
