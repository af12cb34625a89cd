"""What importing costs, over a bare interpreter; MLflow alternated in the same run.

Every start is a new process, with bytecode already written, as it is for a user from the second
start on. The programs are started in turn and in a new order each round, so that a slow minute, or
what the one before left in the caches, falls on all of them.
"""

from __future__ import annotations

import importlib.util
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

from _measure import report

ROUNDS = 61
MLFLOW_ROUNDS = 11
BARE = "pass"
OURS = {
    "import": "import autolog",
    "switch on": "import autolog; autolog.autolog()",
}
THEIRS = {
    "import": "import mlflow",
    "switch on": "import mlflow; mlflow.autolog(silent=True)",
}
FIGURES = {
    "import": ("`import autolog`, over a bare interpreter", 25.0),
    "switch on": ("`import autolog; autolog.autolog()`, no framework imported", 100.0),
}


def main() -> None:
    """Measures and reports both figures."""
    with_mlflow = importlib.util.find_spec("mlflow") is not None
    with tempfile.TemporaryDirectory() as folder:
        programs = [BARE, *OURS.values(), *(THEIRS.values() if with_mlflow else ())]
        for program in programs:
            start(program, folder)
        taken: dict[str, list[float]] = {program: [] for program in programs}
        order = random.Random(0)
        for number in range(ROUNDS):
            for program in order.sample(programs, len(programs)):
                # A start of MLflow takes as long as a hundred of ours.
                if program not in THEIRS.values() or number % (ROUNDS // MLFLOW_ROUNDS) == 0:
                    taken[program].append(start(program, folder))
    bare = statistics.median(taken[BARE])
    for what, (figure, target) in FIGURES.items():
        ours = [each - bare for each in taken[OURS[what]]]
        other = [each - bare for each in taken[THEIRS[what]]] if with_mlflow else None
        report(figure, ours, other, "ms", target)


def start(program: str, folder: str) -> float:
    """Returns the milliseconds from starting an interpreter on ``program`` to its end."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], cwd=folder, env=env, check=True)
    return (time.perf_counter() - began) * 1e3


if __name__ == "__main__":
    main()
