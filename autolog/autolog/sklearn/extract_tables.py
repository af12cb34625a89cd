"""Results of searches and of cross-validation as tables: text that loses no digit."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autolog.sklearn.extract import param_text

Table = dict[str, list[Any]]
"""Columns of plain values, all of one length."""


class Texts:
    """Makes text of values of params; that of an estimator, which takes long, once."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, str]] = {}

    def of(self, value: Any) -> str:
        """Returns a value as text."""
        if not hasattr(value, "get_params"):
            return param_text(value)
        if id(value) not in self._made:
            # Held, so that no other object gets its id.
            self._made[id(value)] = (value, param_text(value))
        return self._made[id(value)][1]


def plain_table(results: Mapping[str, Any]) -> Table:
    """Returns columns as plain values of their own: nothing of it changes with the originals.

    What is masked is None; params that are no plain values are text.

    Args:
        results: (n,) arrays or lists by name, such as ``cv_results_``.
    """
    texts = Texts()
    return {
        str(key): [plain_value(value, texts) for value in _listed(column)]
        for key, column in results.items()
    }


def _listed(column: Any) -> Any:
    # Of a masked array, None where it is masked.
    return column.tolist() if isinstance(column, np.ndarray) else column


def plain_value(value: Any, texts: Texts) -> Any:
    """Returns a value as a table can hold it: a number, text, None or a dictionary of these."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.generic):
        return value.item() if value.dtype.kind in "biuf" else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain_value(each, texts) for key, each in value.items()}
    return texts.of(value)


def to_csv(table: Table) -> bytes:
    """Returns a table as CSV: None is empty, every float has all of its digits."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return target.getvalue().encode()


def to_json(table: Table) -> bytes:
    """Returns a table as JSON as `log_table` has it; what is not finite is null."""
    columns = [_finite(column) for column in table.values()]
    rows: Sequence[Any] = list(zip(*columns, strict=True))
    return json.dumps({"columns": list(table), "data": rows}, allow_nan=False).encode()


def _finite(column: list[Any]) -> list[Any]:
    return [_finite_value(value) for value in column]


def _finite_value(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite_value(each) for key, each in value.items()}
    return value
