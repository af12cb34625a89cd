"""A full disk gives a Python error, and costs nothing that was accepted before."""

import subprocess
import sys
from pathlib import Path

import pytest

from autolog_core.config import Settings
from autolog_core.session import Session

CODE = """
import os, sys
from autolog_core.errors import StorageFull
from autolog_core.runs import begin_run, finish_run
from autolog_core.session import Session

session = Session(sys.argv[1])
live = begin_run(session, log_system_metrics=False)
with open(sys.argv[2], "wb") as ballast:
    ballast.write(os.urandom(6 << 20))
session.drain()
accepted = 0
try:
    while accepted < 5_000_000:
        live.log_metric("m", accepted * 1.1, accepted)
        accepted += 1
except StorageFull as error:
    print("full:", error, file=sys.stderr)
print(live.run_id, accepted, flush=True)
sys.stdin.readline()
if sys.argv[3] == "goes-on":
    os.unlink(sys.argv[2])
    live.log_metric("after", 1.0, 0)
    session.drain()
elif sys.argv[3] == "dies":
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def small_disk(tmp_path: Path):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be made here: {mounted.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


@pytest.mark.parametrize("ending", ["goes-on", "ends", "dies"])
def test_logging_on_a_full_disk(small_disk, ending):
    address = f"sqlite:///{small_disk}/tracking.db"
    ballast = small_disk / "ballast"
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, address, str(ballast), ending],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    run_id, accepted = process.stdout.readline().split()
    _, errors = process.communicate("\n")
    assert process.returncode == (-9 if ending == "dies" else 0), errors
    assert "no space left" in errors
    ballast.unlink(missing_ok=True)
    session = Session(address, Settings(system_metrics=False))
    store = session.read()
    steps = store.get_metric_series(run_id, "m").steps
    assert len(steps) == int(accepted)
    assert steps.tolist() == list(range(int(accepted)))
    run = store.get_run(run_id)
    assert run.info.status == ("FAILED" if ending == "dies" else "FINISHED")
    if ending == "goes-on":
        assert run.data.metrics["after"] == 1.0
    session.close()
