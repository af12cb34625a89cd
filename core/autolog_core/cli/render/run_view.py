"""One run in full."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from autolog_core.cli.render.columns import is_system
from autolog_core.cli.render.files import tree
from autolog_core.cli.render.page import Page, heading, indented, pairs
from autolog_core.cli.render.run_table import PARENT_TAG, run_length, status_cell
from autolog_core.cli.render.tables import Cell, Column, Table, fit
from autolog_core.cli.render.text import (
    count,
    duration,
    number,
    plain,
    plain_lines,
    plural,
    size,
    when,
)
from autolog_core.entities import DatasetInput, Experiment, FileInfo, MetricSummary, Run, RunStatus

if TYPE_CHECKING:
    from rich.text import Text

CAUSE_TAG = "autolog.end_cause"
_NOTE_TAG = "mlflow.note.content"
_OWN_PREFIXES = ("mlflow.", "autolog.")


def run_sections(
    run: Run,
    experiment: Experiment,
    files: Sequence[FileInfo] | None,
    traceback: str | None,
    sparks: Mapping[str, str],
    page: Page,
) -> Iterator[Text]:
    """Yields the parts of the view, without the plots of curves.

    Args:
        run: The run.
        experiment: Its experiment.
        files: Its artifacts, folders included, or None when they cannot be listed.
        traceback: Of the exception that ended it, if any.
        sparks: Sparkline by metric.
        page: How to draw.
    """
    yield title_line(run)
    yield pairs(list(_facts(run, experiment, page)), page, facts=True)
    if failure := _failure(run, traceback):
        yield failure
    if note := run.data.tags.get(_NOTE_TAG, "").strip():
        yield heading("Note").append(indented(note))
    if run.data.params:
        yield heading("Params", str(len(run.data.params))).append_text(
            pairs(sorted(run.data.params.items()), page)
        )
    yield from _metrics(run, sparks, page)
    if run.inputs.dataset_inputs:
        yield heading("Datasets").append_text(
            fit(_datasets(run.inputs.dataset_inputs), page.cells, ascii_only=page.ascii_only).text
        )
    if run.outputs.model_outputs:
        models = [(out.model_id, f"step {out.step}") for out in run.outputs.model_outputs]
        yield heading("Models", str(len(models))).append_text(pairs(models, page))
    if tags := _tags(run, page):
        yield heading("Tags").append_text(pairs(tags, page))
    if files:
        yield heading("Artifacts", _file_count(files)).append_text(tree(files, page.ascii_only))


def title_line(run: Run) -> Text:
    """Returns the run's name and status."""
    from rich.text import Text

    status = status_cell(run.info)
    out = Text(plain(run.info.run_name or run.info.run_id), style="")
    out.stylize("bold")
    return out.append("  ").append(status.shown, status.style).append("\n")


def _facts(run: Run, experiment: Experiment, page: Page) -> Iterator[tuple[str, str]]:
    info, tags = run.info, run.data.tags
    yield "id", info.run_id
    yield "experiment", f"{experiment.name} (id {experiment.experiment_id})"
    if parent := tags.get(PARENT_TAG):
        yield "parent", parent
    yield "started", when(info.start_time, page.now)
    if (length := run_length(info, page.now)) is not None:
        yield "took", duration(length) + (" so far" if info.end_time is None else "")
    if info.user_id:
        yield "user", info.user_id
    if source := tags.get("mlflow.source.name"):
        yield "source", source
    if commit := tags.get("mlflow.source.git.commit"):
        branch = tags.get("mlflow.source.git.branch")
        dirty = tags.get("mlflow.source.git.dirty", "").lower() == "true"
        yield (
            "git",
            " ".join(
                part
                for part in (
                    commit[:12],
                    f"on {branch}" if branch else "",
                    "(dirty)" if dirty else "",
                )
                if part
            ),
        )
    if info.artifact_uri:
        yield "artifacts", info.artifact_uri


def _failure(run: Run, traceback: str | None) -> Text | None:
    tags = run.data.tags
    lines = [plain(tags[CAUSE_TAG])] if CAUSE_TAG in tags else []
    if traceback is not None:
        lines += plain_lines(traceback).rstrip().split("\n")
    elif kind := tags.get("autolog.failure.type"):
        lines.append(plain(f"{kind}: {tags.get('autolog.failure.message', '')}"))
    if not lines:
        return None
    failed = run.info.status == RunStatus.FAILED
    out = heading("Failure" if failed else "Ending")
    return out.append("".join(f"  {line}\n" for line in lines), "red" if failed else "")


def _metrics(run: Run, sparks: Mapping[str, str], page: Page) -> Iterator[Text]:
    summaries = run.data.summaries
    keys = sorted(run.data.metrics, key=lambda key: (is_system(key), key))
    shown = keys if page.everything else [key for key in keys if not is_system(key)]
    hidden = len(keys) - len(shown)
    if not keys:
        return
    note = str(len(shown)) + (f", and {hidden} of the machine (--all)" if hidden else "")
    out = heading("Metrics", note)
    if shown:
        columns: tuple[Column, ...] = (
            Column("  METRIC", "metric", style="cyan", least=16),
            Column("LAST", "last", align="right"),
            Column("MIN", "min", align="right", rank=3),
            Column("MAX", "max", align="right", rank=3),
            Column("AT STEP", "step", align="right", style="dim", rank=4),
            Column("POINTS", "points", align="right", style="dim", rank=1),
            Column("CURVE", "curve", style="cyan", rank=2),
        )
        rows = tuple(
            _metric_row(key, run.data.metrics[key], summaries.get(key), sparks.get(key, ""))
            for key in shown
        )
        if not any(sparks.get(key) for key in shown):  # single values: min and max say nothing
            columns, rows = columns[:2], tuple(row[:2] for row in rows)
        out.append_text(fit(Table(columns, rows), page.cells, ascii_only=page.ascii_only).text)
    yield out


def _metric_row(
    key: str, value: float, summary: MetricSummary | None, spark: str
) -> tuple[Cell, ...]:
    if summary is None:
        return (Cell("  " + key), Cell(number(value)), *[Cell("")] * 4, Cell(spark))
    several = summary.points > 1
    return (
        Cell("  " + key),
        Cell(number(value), style="bold"),
        Cell(number(summary.minimum) if several else ""),
        Cell(number(summary.maximum) if several else ""),
        Cell(count(summary.step)),
        Cell(count(summary.points)),
        Cell(spark),
    )


def _datasets(uses: Sequence[DatasetInput]) -> Table:
    columns = (
        Column("  NAME", "name", style="cyan", least=10),
        Column("USED FOR", "context"),
        Column("SIZE", "size", align="right"),
        Column("DIGEST", "digest", style="yellow"),
        Column("SOURCE", "source", style="dim", least=10, rank=1),
    )
    rows = tuple(
        (
            Cell("  " + use.dataset.name),
            Cell(use.context or ""),
            Cell(profile_size(use.dataset.profile)),
            Cell(use.dataset.digest),
            Cell(_source(use.dataset.source_type, use.dataset.source)),
        )
        for use in uses
    )
    return Table(columns, rows)


def profile_size(profile: str | None) -> str:
    """Returns such as "569 rows" from a dataset's profile, or nothing if it does not say."""
    try:
        facts = json.loads(profile or "{}")
    except ValueError:
        return ""
    if not isinstance(facts, dict):
        return ""
    if isinstance(facts.get("num_rows"), int):
        return plural(facts["num_rows"], "row")
    shape = facts.get("features_shape") or facts.get("shape")
    if isinstance(shape, dict):
        shape = next(iter(shape.values()), None)
    return " x ".join(map(str, shape)) if isinstance(shape, list) else ""


def _source(kind: str, source: str) -> str:
    try:
        facts = json.loads(source)
    except ValueError:
        return f"{kind} {source}".strip()
    if isinstance(facts, dict):
        for key in ("uri", "url", "path"):
            if isinstance(facts.get(key), str):
                return str(facts[key])
    return kind


def _tags(run: Run, page: Page) -> list[tuple[str, str]]:
    return sorted(
        (key, value)
        for key, value in run.data.tags.items()
        if page.everything or not key.startswith(_OWN_PREFIXES)
    )


def _file_count(files: Sequence[FileInfo]) -> str:
    plain_files = [file for file in files if not file.is_dir]
    total = sum(file.file_size or 0 for file in plain_files)
    return f"{plural(len(plain_files), 'file')}, {size(total)}"
