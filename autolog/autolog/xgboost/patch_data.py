"""The references to data that a training logs, by its names for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autolog.xgboost import matrices

if TYPE_CHECKING:
    from autolog.instrument.recorder import Recorder
    from autolog.xgboost.spec import XgboostOptions
    from autolog_core.entities import Dataset

TRAIN, EVAL = "train", "eval"


def is_matrix(value: Any) -> bool:
    """Whether `value` is a DMatrix of any kind."""
    return any(base.__name__ in ("DMatrix", "DaskDMatrix") for base in type(value).__mro__)


def pairs_of(sets: Any) -> list[tuple[Any, Any]]:
    """Returns the pairs among evaluation sets; anything else is XGBoost's to refuse."""
    return [
        (pair[0], pair[1])
        for pair in (sets if isinstance(sets, (list, tuple)) else ())
        if isinstance(pair, (list, tuple)) and len(pair) == 2
    ]


def log_matrices(
    recorder: Recorder, options: XgboostOptions, train: Any, evals: Any = None
) -> dict[str, Dataset]:
    """Logs the references to the matrices of a training.

    Args:
        recorder: Of the training.
        options: Say whether references are kept.
        train: What is trained on; its name is that of the evaluation set that it is, if it is one.
        evals: Pairs of a matrix and its name.

    Returns:
        The references by the names of evaluation sets.
    """
    if not options.log_datasets:
        recorder.skipped("dataset", "log_datasets is False")
        return {}
    pairs = [(matrix, str(name)) for matrix, name in pairs_of(evals) if is_matrix(matrix)]
    own = next((name for matrix, name in pairs if matrix is train), matrices.NAME)
    made: dict[int, Dataset] = {}
    found: dict[str, Dataset] = {}
    for matrix, name in [(train, own), *pairs] if is_matrix(train) else pairs:
        if id(matrix) not in made:
            made[id(matrix)] = matrices.reference(matrix, name)
            context = TRAIN if matrix is train else EVAL
            recorder.dataset(made[id(matrix)], context, matrix)
        found[name] = made[id(matrix)]
    return found


def log_sets(
    recorder: Recorder, options: XgboostOptions, features: Any, labels: Any, sets: Any
) -> dict[str, Dataset]:
    """Logs the references to the data that an estimator is fitted with.

    Args:
        recorder: Of the fit.
        options: Say whether references are kept.
        features: To train on.
        labels: Theirs.
        sets: Pairs of features and labels, which XGBoost calls ``validation_0`` and so on.

    Returns:
        The references by the names of evaluation sets.
    """
    if not options.log_datasets:
        recorder.skipped("dataset", "log_datasets is False")
        return {}
    train = _log(recorder, features, labels, matrices.NAME, TRAIN)
    found: dict[str, Dataset] = {}
    for place, (data, target) in enumerate(pairs_of(sets)):
        name = f"validation_{place}"
        if data is features and target is labels:
            made = train
        else:
            made = _log(recorder, data, target, name, EVAL)
        if made is not None:
            found[name] = made
    return found


def _log(recorder: Recorder, features: Any, labels: Any, name: str, context: str) -> Dataset | None:
    made = matrices.reference_of(features, labels)
    if made is None:
        kind = f"{type(features).__module__}.{type(features).__qualname__}"
        recorder.skipped(f"{context} dataset {name}", f"no reference can be made to {kind}")
        return None
    made = matrices.named(made, name)
    recorder.dataset(made, context, features)
    return made
