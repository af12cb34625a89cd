"""Many processes log to one database at once: no error, nothing lost."""

import subprocess
import sys
import time

import pytest

from autolog_core.config import Settings
from autolog_core.session import Session

CODE = """
import sys, time
from autolog_core.runs import begin_run, finish_run
from autolog_core.session import Session

session = Session(sys.argv[1])
shared = session.live(sys.argv[2])
stop = time.time() + float(sys.argv[3])
name = sys.argv[4]
logged = runs = 0
while time.time() < stop:
    live = begin_run(session, run_name=f"{name}-{runs}", log_system_metrics=False)
    live.log_params({"writer": name})
    for step in range(500):
        live.log_metric("m", step * 0.5, step)
        shared.log_metric(f"from-{name}", float(logged), logged)
        logged += 1
    finish_run(live, session=session)
    if runs % 20 == 0:
        assert session.read().get_run(live.run_id).data.metrics == {"m": 249.5}
    runs += 1
    # As training would: some work between the runs.
    time.sleep(0.002)
session.close()
print(runs, logged)
"""


@pytest.mark.parametrize(("writers", "seconds"), [(8, 20.0)])
def test_many_writers(tmp_path, writers, seconds):
    address = f"sqlite:///{tmp_path}/tracking.db"
    session = Session(address, Settings(system_metrics=False))
    shared = session.create_run("0", name="shared")
    session.drain()
    begun = time.monotonic()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CODE, address, shared.run_id, str(seconds), f"w{number}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(writers)
    ]
    results = [process.communicate() for process in processes]
    assert time.monotonic() - begun < 250
    assert [process.returncode for process in processes] == [0] * writers, results
    assert [errors for _, errors in results] == [""] * writers
    store = session.read()
    for number, (out, _) in enumerate(results):
        runs, logged = map(int, out.split())
        series = store.get_metric_series(shared.run_id, f"from-w{number}")
        assert series.steps.tolist() == list(range(logged))
        found = store.search_runs(["0"], f"params.writer = 'w{number}'", max_results=50000)
        assert len(found) == runs
        assert all(run.info.status == "FINISHED" for run in found)
        assert all(run.data.summaries["m"].points == 500 for run in found)
    session.close()
