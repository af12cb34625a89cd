"""The digest of a gigabyte: time, and memory added; MLflow's, of 10,000 elements, beside it."""

from __future__ import annotations

import importlib.util
import logging
import time
import tracemalloc
import warnings
from collections.abc import Callable

import numpy as np
from _measure import report

BYTES = 10**9
ROWS, COLUMNS = 1_000_000, 250
ROUNDS = 9


def main() -> None:
    """Measures and reports all figures."""
    warnings.simplefilter("ignore")
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    array = np.random.default_rng(0).random((ROWS, COLUMNS), np.float32)
    assert array.nbytes == BYTES
    ours, theirs = digest, mlflow_digest() if importlib.util.find_spec("mlflow") else None
    mine, other = alternated(lambda: ours(array), theirs and (lambda: theirs(array)))
    report("digest of a 1 GB float32 array", mine, other, "ms", 300.0)
    report(
        "digest of a 1 GB float32 array, memory added at the peak",
        [added(lambda: ours(array))],
        [added(lambda: theirs(array))] if theirs else None,
        "MB",
        8.0,
    )
    if importlib.util.find_spec("torch"):
        import torch

        tensor = torch.from_numpy(array)
        assert digest(tensor) == digest(array)
        report("digest of a 1 GB float32 tensor", times(lambda: digest(tensor)), None, "ms", 300.0)
    if importlib.util.find_spec("pyarrow"):
        import pyarrow

        ends = np.arange(0, array.size + 1, 1000, dtype=np.int32)
        values = pyarrow.array(array.reshape(-1).view(np.int32))
        table = pyarrow.table({"tokens": pyarrow.ListArray.from_arrays(ends, values)})
        report("digest of 1 GB of lists in Arrow", times(lambda: digest(table)), None, "ms", 300.0)


def digest(data: object) -> str:
    """Returns our digest."""
    from autolog_core.data import digest_of

    return digest_of(data).text


def mlflow_digest() -> Callable[[np.ndarray], str]:
    """Returns MLflow's function of an array."""
    from mlflow.data.digest_utils import compute_numpy_digest

    return compute_numpy_digest


def alternated(
    ours: Callable[[], object], theirs: Callable[[], object] | None
) -> tuple[list[float], list[float] | None]:
    """Returns the milliseconds of both, taken in turn; the first call of each is not counted."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS + 1):
        for work, found in zip((ours, theirs), taken, strict=True):
            if work is not None:
                found.append(once(work))
    return taken[0][1:], taken[1][1:] or None


def times(work: Callable[[], object]) -> list[float]:
    """Returns the milliseconds of some calls, after one that is not counted."""
    return [once(work) for _ in range(ROUNDS + 1)][1:]


def once(work: Callable[[], object]) -> float:
    """Returns the milliseconds of one call."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1e3


def added(work: Callable[[], object]) -> float:
    """Returns the megabytes that a call has in use at its peak, beyond those before it."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (peak - before) / 1e6


if __name__ == "__main__":
    main()
