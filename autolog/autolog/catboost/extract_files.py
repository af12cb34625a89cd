"""What CatBoost itself writes down of a training: the file ``catboost_training.json``.

It tells more than CatBoost's functions return: the candidates of a search, the folds of a
cross-validation, and how far a training came that was interrupted. Numbers have ten digits.
"""

from __future__ import annotations

import json
import os
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "catboost_training.json"
DEFAULT_FOLDER = "catboost_info"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a file.

    Attributes:
        name: CatBoost's name.
        higher: Whether higher values are better; None where neither is.
    """

    name: str
    higher: bool | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One iteration of a training, or one candidate of a search.

    Attributes:
        number: Its number, from 0.
        seconds: From the beginning to its end.
        values: By evaluation set and metric, in CatBoost's words.
        params: Of a candidate.
    """

    number: int
    seconds: float
    values: Mapping[str, Mapping[str, float]]
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """The content of a file.

    Attributes:
        planned: Iterations or candidates that there were to be.
        searching: Whether the entries are candidates.
        tests: Names of the evaluation sets, besides the training data.
        metrics: Those of the evaluation sets; the one that decides is first.
        entries: As far as the training came.
    """

    planned: int
    searching: bool
    tests: Sequence[str]
    metrics: Sequence[Metric]
    entries: Sequence[Entry]


def folder_of(params: Mapping[str, Any]) -> str | None:
    """Returns where a training writes its files; None if it writes none.

    Args:
        params: Of the model.
    """
    writes = params.get("allow_writing_files")
    if writes is not None and not writes:
        return None
    return os.path.abspath(os.fspath(params.get("train_dir") or DEFAULT_FOLDER))


def read(folder: str) -> Record | None:
    """Returns what a folder tells of its last training, or None."""
    try:
        lines = Path(folder, FILE).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    meta = _line(next((line for line in lines if line.startswith('"meta"')), ""), '"meta":')
    if meta is None:
        return None
    learned = [_metric(each) for each in meta["learn_metrics"]]
    tested = [_metric(each) for each in meta["test_metrics"]]
    sets = dict.fromkeys(meta["learn_sets"], learned) | dict.fromkeys(meta["test_sets"], tested)
    found = [_line(line) for line in lines if line.startswith("{") and len(line) > 1]
    return Record(
        planned=int(meta["iteration_count"]),
        searching=bool(meta.get("parameters")),
        tests=list(meta["test_sets"]),
        metrics=tested or learned,
        entries=[_entry(each, sets) for each in found if each is not None],
    )


def _stamps(folder: str) -> dict[str, tuple[int, int]]:
    """Returns the state of the files in a folder, and of those in its folders of folds."""
    found = {}
    for path in (Path(folder, FILE), *Path(folder).glob(f"fold-*/{FILE}")):
        try:
            state = path.stat()
        except OSError:
            continue
        found[str(path)] = (state.st_mtime_ns, state.st_size)
    return found


def _line(text: str, prefix: str = "") -> dict[str, Any] | None:
    try:
        found = json.loads(text.removeprefix(prefix).rstrip().rstrip(","))
    except ValueError:
        # The last line of a training that was interrupted may not be whole.
        return None
    return found if isinstance(found, dict) else None


def _metric(told: Mapping[str, Any]) -> Metric:
    return Metric(str(told["name"]), {"Max": True, "Min": False}.get(told["best_value"]))


def _entry(told: Mapping[str, Any], sets: Mapping[str, Sequence[Metric]]) -> Entry:
    values = {}
    for name, metrics in sets.items():
        numbers = told.get(name, ())
        # With a period some are left out, and nobody tells which.
        if len(numbers) == len(metrics):
            pairs = zip(metrics, numbers, strict=True)
            values[name] = {metric.name: float(number) for metric, number in pairs}
    parameters = told.get("parameters") or [{}]
    return Entry(int(told["iteration"]), float(told["passed_time"]), values, dict(parameters[0]))


class Watched:
    """The folder of a training that goes on; others of this process may write there as well.

    Attributes:
        folder: Where it writes; None if nowhere.
        shared: Whether another training wrote there meanwhile.
    """

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.folder = folder_of(params)
        self.shared = False
        self._before = {} if self.folder is None else _stamps(self.folder)
        with _lock:
            for other in _open:
                if self.folder is not None and other.folder == self.folder:
                    other.shared = self.shared = True
            _open.add(self)

    def end(self) -> None:
        """Says that the training is over."""
        with _lock:
            _open.discard(self)

    def read(self, part: str = "") -> Record | None:
        """Returns what the training has written, or None if that cannot be told.

        Args:
            part: A folder inside of the training's.
        """
        if self.folder is None or self.shared:
            return None
        folder = os.path.join(self.folder, part)
        name = str(Path(folder, FILE))
        # What has not changed is of an earlier training.
        if _stamps(folder).get(name) in (None, self._before.get(name)):
            return None
        return read(folder)


_lock = threading.Lock()
_open: weakref.WeakSet[Watched] = weakref.WeakSet()


def _renew_lock() -> None:
    # Another thread of the parent may have held it at the fork.
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)
