"""What every benchmark script shares: one line of JSON per figure, one line for a reader.

A script measures, calls ``report`` once per figure, and leaves comparing and drawing the table
to ``run.py``. It is a plain program: ``python tests/benchmarks/bench_<what>.py``.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence


def report(
    figure: str,
    ours: Sequence[float],
    other: Sequence[float] | None,
    unit: str,
    target: float | None = None,
    *,
    more_is_better: bool = False,
) -> None:
    """Prints one figure: JSON on stdout, a readable line on stderr.

    Args:
        figure: What was measured, in the words of the table's row.
        ours: Measurements of autolog, in ``unit``; their median is the figure.
        other: The same of MLflow, taken in the same process or alternated; None where it has no
            such thing.
        unit: ``ms``, ``us``, ``points/s``, ``bytes`` ...
        target: What the figure must reach, in ``unit``; None for a figure without a target.
        more_is_better: True for rates, where the target is a floor and not a ceiling.
    """
    if not ours:
        raise ValueError(f"{figure}: nothing was measured")
    mine = statistics.median(ours)
    theirs = statistics.median(other) if other else None
    ratio = None
    if theirs is not None and mine > 0 and theirs > 0:
        ratio = mine / theirs if more_is_better else theirs / mine
    met = None
    if target is not None:
        met = mine >= target if more_is_better else mine <= target
    line = {
        "figure": figure,
        "ours": mine,
        "other": theirs,
        "unit": unit,
        "ratio": ratio,
        "runs": len(ours),
        "other_runs": len(other) if other else 0,
        "target": target,
        "more_is_better": more_is_better,
        "met": met,
    }
    print(json.dumps(line), flush=True)
    print(_readable(line), file=sys.stderr, flush=True)


def quantile(values: Sequence[float], share: float) -> float:
    """Returns the value below which ``share`` (0 to 1) of ``values`` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def number(value: float) -> str:
    """Returns ``value`` with three meaningful digits and thousands separated."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _readable(line: dict[str, object]) -> str:
    unit = line["unit"]
    text = f"{line['figure']}: {_shown(line['ours'])} {unit}"
    if line["target"] is not None:
        sign = ">=" if line["more_is_better"] else "<="
        text += f" (target {sign} {_shown(line['target'])}: {'met' if line['met'] else 'MISSED'})"
    if line["other"] is not None:
        text += f"; MLflow {_shown(line['other'])} {unit}"
    if line["ratio"] is not None:
        text += f"; {_shown(line['ratio'])} times better"
    return text


def _shown(value: object) -> str:
    return number(value) if isinstance(value, int | float) else "-"
