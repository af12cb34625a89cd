"""What autologging adds to a fit: a random forest of 50 trees on 5,000 rows of 20 columns.

The fits are alternated, plain, autolog, MLflow, in one process. No models are kept on either side.
A fit of half a second varies by more than what is measured here, so the added time is over the
median of the plain fits, one before each watched one. The first watched fit of a process, which
opens the store and loads modules, is reported apart.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from _measure import report

ROUNDS = 15
ROWS, COLUMNS, TREES = 5000, 20, 50


def main() -> None:
    """Measures and reports the added time."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sides: dict[str, Callable[[bool], None]] = {"autolog": ours(Path(folder))}
        if importlib.util.find_spec("mlflow") is not None:
            sides["mlflow"] = theirs(Path(folder))
        fit()
        plain: list[float] = []
        taken: dict[str, list[float]] = {side: [] for side in sides}
        for _ in range(ROUNDS + 1):
            for side, switch in sides.items():
                plain.append(fit())
                switch(True)
                taken[side].append(fit())
                switch(False)
        base = statistics.median(plain)
        added = {side: [each - base for each in fits] for side, fits in taken.items()}
        other = added.get("mlflow")
        report(
            "RandomForest fit, added time",
            added["autolog"][1:],
            other[1:] if other else None,
            "ms",
            30.0,
        )
        report(
            "RandomForest fit, added time of the first in a process",
            added["autolog"][:1],
            other[:1] if other else None,
            "ms",
        )
        os.chdir("/")


def fit() -> float:
    """Returns the milliseconds of a fit."""
    from sklearn.datasets import make_classification
    from sklearn.ensemble import RandomForestClassifier

    features, labels = make_classification(ROWS, COLUMNS, random_state=0)
    forest = RandomForestClassifier(TREES, random_state=0)
    began = time.perf_counter()
    forest.fit(features, labels)
    return (time.perf_counter() - began) * 1e3


def ours(folder: Path) -> Callable[[bool], None]:
    """Returns what turns our autologging on and off."""
    import autolog

    autolog.set_tracking_uri(folder / "ours")
    return lambda on: autolog.autolog(disable=not on, log_models=False, silent=True)


def theirs(folder: Path) -> Callable[[bool], None]:
    """Returns what turns MLflow's autologging on and off."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{folder}/theirs.db")
    return lambda on: mlflow.sklearn.autolog(disable=not on, log_models=False, silent=True)


if __name__ == "__main__":
    main()
