"""What autologging adds to trainings, models included: scikit-learn and XGBoost.

Trainings are alternated, plain, autolog, MLflow, in one process. What is added is over the median
of the plain ones. After a watched training its files are waited for, apart from the clock of the
caller; the processor's time is that of the whole process until they are written. The first watched
training of each kind, which loads modules, is left out.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _measure import report


@dataclass(frozen=True)
class Taken:
    """What one side took: milliseconds of the caller, and of the processor until all is written."""

    wall: list[float]
    cpu: list[float]


@dataclass(frozen=True)
class Side:
    """How autologging is turned on and off, and when its files are written."""

    switch: Callable[..., None]
    settle: Callable[[], None]


def main() -> None:
    """Measures and reports each figure."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sides = {"autolog": ours(Path(folder))}
        if importlib.util.find_spec("mlflow") is not None:
            sides["mlflow"] = theirs(Path(folder))
        forest(sides)
        logistic(sides)
        predictions(sides)
        searches(sides)
        if importlib.util.find_spec("xgboost") is not None:
            boosting(sides)
        os.chdir("/")


def forest(sides: dict[str, Side]) -> None:
    """A random forest of 50 trees on 5,000 rows, with its model."""
    from sklearn.datasets import make_classification
    from sklearn.ensemble import RandomForestClassifier

    features, labels = make_classification(5000, 20, random_state=0)
    taken = measure(
        sides,
        lambda: RandomForestClassifier(50, random_state=0),
        lambda model: model.fit(features, labels),
        11,
        {"mlflow": 3},
    )
    tell("RandomForest fit with model, added time", taken, "wall", 40.0)
    tell("RandomForest fit with model, processor in all", taken, "cpu", 150.0)


def logistic(sides: dict[str, Side]) -> None:
    """A logistic regression on a frame of 569 rows, with its model."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression

    features, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    taken = measure(
        sides,
        lambda: LogisticRegression(max_iter=50),
        lambda model: model.fit(features, labels),
        25,
        {"mlflow": 3},
    )
    tell("LogisticRegression fit with model, curves, dataset, added time", taken, "wall", 20.0)


def predictions(sides: dict[str, Side]) -> None:
    """One-row predictions after a fit, 2,000 in a row (MLflow: 200)."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression

    features, labels = load_breast_cancer(return_X_y=True)
    row = features[:1]
    added: dict[str, list[float]] = {}
    for name, side in sides.items():
        side.switch(True, log_models=False)
        model = LogisticRegression(max_iter=50).fit(features, labels)
        side.switch(False)
        count = 2000 if name == "autolog" else 200
        for _ in range(9):
            before = each_of(count, model, row)
            side.switch(True, log_models=False)
            after = each_of(count, model, row)
            side.switch(False)
            added.setdefault(name, []).append(after - before)
    report("one-row predict after a fit, added", added["autolog"], added.get("mlflow"), "us", 15.0)


def each_of(count: int, model: Any, row: Any) -> float:
    """Returns the median microseconds of many predictions."""
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        model.predict(row)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1e6


def searches(sides: dict[str, Side]) -> None:
    """A search of 60 candidates in 5 folds by two worker processes; autolog only."""
    from sklearn.datasets import make_classification
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GridSearchCV

    features, labels = make_classification(1000, 20, random_state=0)
    grid = {"max_depth": list(range(1, 13)), "min_samples_leaf": [1, 2, 4, 8, 16]}
    forest = RandomForestClassifier(10, random_state=0)
    taken = measure(
        {"autolog": sides["autolog"]},
        lambda: GridSearchCV(forest, grid, cv=5, n_jobs=2),
        lambda search: search.fit(features, labels),
        5,
        {},
    )
    base = statistics.median(taken["plain"].wall)
    parts = [100 * (each - base) / base for each in taken["autolog"].wall]
    report("GridSearchCV, 60 candidates x 5 folds, n_jobs=2, added", parts, None, "%", 5.0)


def boosting(sides: dict[str, Side]) -> None:
    """Training of 100 rounds by XGBoost with a validation set, without and with its model."""
    import xgboost
    from sklearn.datasets import load_breast_cancer

    features, labels = load_breast_cancer(return_X_y=True)

    def make() -> Any:
        return [
            xgboost.DMatrix(features[place::2], labels[place::2], nthread=1) for place in range(2)
        ]

    def train(data: Any) -> None:
        params = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1}
        evals = [(data[0], "train"), (data[1], "valid")]
        xgboost.train(params, data[0], 100, evals=evals, verbose_eval=False)

    for kept, target in ((False, 10.0), (True, 20.0)):
        rounds = {"mlflow": 3} if kept else {"mlflow": 7}
        taken = measure(sides, make, train, 21, rounds, library="xgboost", log_models=kept)
        words = "with model" if kept else "without model"
        tell(f"xgb.train of 100 rounds, {words}, added time", taken, "wall", target)


def measure(
    sides: dict[str, Side],
    make: Callable[[], Any],
    act: Callable[[Any], object],
    rounds: int,
    fewer: dict[str, int],
    *,
    library: str = "sklearn",
    log_models: bool = True,
) -> dict[str, Taken]:
    """Returns what each side took; `fewer` are the rounds of sides that take long."""
    found = {name: Taken([], []) for name in ("plain", *sides)}
    for turn in range(rounds + 1):
        for name in found:
            if turn > fewer.get(name, rounds):
                continue
            subject = make()
            side = sides.get(name)
            if side is not None:
                side.switch(True, library=library, log_models=log_models)
            cpu, wall = time.process_time(), time.perf_counter()
            act(subject)
            wall = time.perf_counter() - wall
            if side is not None:
                side.settle()
            cpu = time.process_time() - cpu
            if side is not None:
                side.switch(False, library=library)
            if turn:
                found[name].wall.append(wall * 1e3)
                found[name].cpu.append(cpu * 1e3)
    return found


def tell(figure: str, taken: dict[str, Taken], what: str, target: float) -> None:
    """Reports what was added to the median of the plain trainings."""
    base = statistics.median(getattr(taken["plain"], what))
    added = {
        name: [each - base for each in getattr(one, what)]
        for name, one in taken.items()
        if name != "plain"
    }
    report(figure, added["autolog"], added.get("mlflow"), "ms", target)


def ours(folder: Path) -> Side:
    """Returns our side."""
    import autolog
    from autolog_core.session import default_session

    autolog.set_tracking_uri(folder / "ours")

    def switch(on: bool, library: str = "sklearn", **options: Any) -> None:
        getattr(autolog, library).autolog(disable=not on, silent=True, **options)

    def settle() -> None:
        default_session().saving.wait()
        default_session().drain()

    return Side(switch, settle)


def theirs(folder: Path) -> Side:
    """Returns MLflow's side."""
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mlflow.set_tracking_uri(f"sqlite:///{folder}/theirs.db")

    def switch(on: bool, library: str = "sklearn", **options: Any) -> None:
        getattr(mlflow, library).autolog(disable=not on, silent=True, **options)

    return Side(switch, lambda: None)


if __name__ == "__main__":
    main()
