"""Kills a process that logs at full speed, and counts what became of what it was told is logged.

Run it by itself for the whole experiment:

    python tests/engine/crash/killing.py --rounds 200
"""

from __future__ import annotations

import argparse
import mmap
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

THREADS = 4
SLOTS = 4096

CHILD = """
import mmap, sys, threading
from autolog_core.runs import begin_run
from autolog_core.session import Session

session = Session(sys.argv[1])
with open(sys.argv[2], "r+b") as file:
    board = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
live = begin_run(session, run_name="victim", log_system_metrics=False)

def log(index):
    key, step = f"series{index}", 0
    while True:
        live.log_metric(key, step * 0.5, step)
        step += 1
        board[index + 1] = step

threads = [threading.Thread(target=log, args=(i,), daemon=True) for i in range(int(sys.argv[3]))]
for thread in threads:
    thread.start()
board[0] = 1
print(live.run_id, flush=True)
threads[0].join()
"""


@dataclass(frozen=True)
class Outcome:
    acknowledged: int
    lost: int
    doubled: int
    unacknowledged: int
    failed_with_cause: bool


def kill_once(folder: Path, delay: float) -> Outcome:
    """Starts the child, kills it `delay` seconds after it has begun to log, and recovers."""
    from autolog_core.session import Session

    address = f"sqlite:///{folder}/tracking.db"
    board = folder / "board"
    board.write_bytes(bytes(SLOTS))
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, address, str(board), str(THREADS)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    run_id = child.stdout.readline().strip()
    assert run_id, "the child could not begin its run"
    time.sleep(delay)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with board.open("r+b") as file, mmap.mmap(file.fileno(), 0) as told:
        counts = struct.unpack_from(f"={THREADS}Q", told, 8)
    session = Session(address)
    store = session.read()
    lost = doubled = extra = 0
    for index, count in enumerate(counts):
        series = store.get_metric_series(run_id, f"series{index}")
        steps = series.steps.tolist()
        held = set(steps)
        lost += sum(step not in held for step in range(count))
        summary = store.get_run(run_id).data.summaries.get(f"series{index}")
        doubled += (summary.points if summary else 0) - len(held)
        extra += len(held) - count
        right = dict(zip(steps, series.values.tolist(), strict=True))
        lost += sum(right.get(step) != step * 0.5 for step in range(0, count, 97))
    run = store.get_run(run_id)
    cause = run.data.tags.get("autolog.end_cause", "")
    ended = (
        run.info.status == "FAILED"
        and run.info.end_time is not None
        and "ended without closing" in cause
        and "damaged" not in cause
    )
    session.close()
    return Outcome(sum(counts), lost, doubled, extra, ended)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    outcomes = []
    for number in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(kill_once(Path(folder), chance.uniform(0.0, 0.8)))
        if outcomes[-1].lost or not outcomes[-1].failed_with_cause:
            print(f"round {number}: {outcomes[-1]}")
        print(f"\r{number + 1} of {arguments.rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(f"processes killed                 {len(outcomes)}")
    print(f"records acknowledged             {sum(o.acknowledged for o in outcomes):,}")
    print(f"acknowledged records lost        {sum(o.lost for o in outcomes)}")
    print(f"records doubled                  {sum(o.doubled for o in outcomes)}")
    print(f"written but not yet acknowledged {sum(o.unacknowledged for o in outcomes)}")
    print(f"runs FAILED with a cause         {sum(o.failed_with_cause for o in outcomes)}")


if __name__ == "__main__":
    main()
