"""Whatever moment a process dies at while it saves and prunes, what reads READY loads."""

import importlib.util
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autolog_core.session import Session

pytest.importorskip("sklearn", reason="models to save are made with it")

_SPEC = importlib.util.spec_from_file_location("pruning", Path(__file__).with_name("pruning.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
pruning = importlib.util.module_from_spec(_SPEC)
sys.modules["pruning"] = pruning
_SPEC.loader.exec_module(pruning)

START = """
import os, shutil, signal, sys
import numpy as np
import autolog
from autolog.checkpoints import CheckpointPolicy, checkpoint
from autolog_core import pruning
from autolog_core.journal import recovery
from autolog_core.logged_models import LiveModel
from autolog_core.models import removal
from autolog_core.session import Session, default_session
from sklearn.linear_model import Ridge

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def dies_at(place, name, when=lambda *_: True, done=lambda *_: None):
    before = getattr(place, name)
    def call(*arguments, **options):
        if when(*arguments):
            done(*arguments)
            die()
        return before(*arguments, **options)
    setattr(place, name, call)
"""
TRAIN = (
    START
    + """
autolog.set_tracking_uri(sys.argv[1])
policy = CheckpointPolicy(monitor="loss", keep_last=1)
run = autolog.start_run()
for step, loss in enumerate((0.1, 0.9, 0.8)):
    default_session().saving.wait()
    if step == 2:
        print(run.info.run_id, flush=True)
        exec(sys.argv[2])
    model = Ridge().fit(np.eye(3), np.arange(3.0))
    model.coef_ = np.full(50, float(step))
    checkpoint(model, step=step, metrics={"loss": loss}, policy=policy)
default_session().saving.wait()
print("nothing killed it")
"""
)
DRAFT = "str(a[0]).endswith('.partial')"
GONE = "str(a[0]).endswith('.pruned')"
# Step 0 is the best and step 1 is to go, once step 2 is READY.
SAVED, NOT_SAVED, NOT_PRUNED = (
    ("READY", "PRUNED", "READY"),
    ("READY", "READY", "FAILED"),
    ("READY", "READY", "READY"),
)
MOMENTS = {
    "a draft is whole": (f"dies_at(os, 'rename', lambda *a: {DRAFT})", NOT_SAVED),
    "a draft is half written": (
        "from autolog_core.models import snapshot; dies_at(snapshot, 'make_environment')",
        NOT_SAVED,
    ),
    "the files are there": ("dies_at(LiveModel, 'finish', lambda *a: a[1] == 'READY')", NOT_SAVED),
    "nothing is pruned": ("dies_at(LiveModel, 'finish', lambda *a: a[1] == 'PRUNED')", NOT_PRUNED),
    "PRUNED is in the journal": (
        "before = LiveModel.finish\n"
        "def finish(self, status, message=None):\n"
        "    before(self, status, message)\n"
        "    if status == 'PRUNED': die()\n"
        "LiveModel.finish = finish",
        SAVED,
    ),
    "PRUNED is in the store": ("dies_at(pruning, 'discard')", SAVED),
    "the folder has lost its name": (f"dies_at(shutil, 'rmtree', lambda *a: {GONE})", SAVED),
    "half of the files are gone": (
        f"dies_at(shutil, 'rmtree', lambda *a: {GONE}, lambda p, *_: next(p.glob('M*')).unlink())",
        SAVED,
    ),
}


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **pruning.QUIET},
    )


def look(folder: Path, run_id: str) -> tuple[str, ...]:
    """Recovers, and returns the statuses of the checkpoints by their steps."""
    session = Session(f"sqlite:///{folder}/tracking.db")
    # The last call was not acknowledged: its metrics may be lost.
    faults, _ = pruning.examine(session, run_id, 3, "sklearn")
    assert faults == []
    assert pruning.leftovers(folder, ".partial") + pruning.leftovers(folder, ".pruned") == []
    models = session.store().search_logged_models(["0"])
    session.close()
    return tuple(model.status.value for model in sorted(models, key=pruning.age))


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_when(tmp_path, moment):
    code, statuses = MOMENTS[moment]
    child = run(TRAIN, f"sqlite:///{tmp_path}/tracking.db", code)
    assert child.returncode == -signal.SIGKILL, child.stdout + child.stderr
    assert look(tmp_path, child.stdout.strip()) == statuses
    assert look(tmp_path, child.stdout.strip()) == statuses


@pytest.mark.parametrize("moment", ["remove_drafts", "discard"])
def test_a_recovery_that_dies_is_taken_up_by_the_next(tmp_path, moment):
    address = f"sqlite:///{tmp_path}/tracking.db"
    point = "a draft is whole" if moment == "remove_drafts" else "PRUNED is in the store"
    code, statuses = MOMENTS[point]
    child = run(TRAIN, address, code)
    assert child.returncode == -signal.SIGKILL, child.stderr
    healer = run(f"{START}\ndies_at(recovery, {moment!r})\nSession(sys.argv[1]).read()", address)
    assert healer.returncode == -signal.SIGKILL, healer.stderr
    assert look(tmp_path, child.stdout.strip()) == statuses


def test_a_living_process_keeps_its_drafts(tmp_path):
    code = START + (
        "autolog.set_tracking_uri(sys.argv[1])\n"
        "real = os.rename\n"
        "def rename(*paths):\n"
        "    if str(paths[0]).endswith('.partial'):\n"
        "        print('writing', flush=True)\n"
        "        sys.stdin.readline()\n"
        "    real(*paths)\n"
        "os.rename = rename\n"
        "model = Ridge().fit(np.eye(3), np.arange(3.0))\n"
        "autolog.sklearn.log_model(model, name='slow')\n"
    )
    address = f"sqlite:///{tmp_path}/tracking.db"
    dead = run(TRAIN, address, MOMENTS["a draft is whole"][0])
    assert dead.returncode == -signal.SIGKILL, dead.stderr
    writer = subprocess.Popen(
        [sys.executable, "-c", code, address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **pruning.QUIET},
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    session = Session(address)
    session.read()
    assert len(pruning.leftovers(tmp_path, ".partial")) == 1
    writer.communicate("\n")
    assert writer.returncode == 0
    (model,) = session.read().search_logged_models(["0"], "name = 'slow'")
    assert model.status == "READY"
    assert pruning.leftovers(tmp_path, ".partial") == []
    session.close()


@pytest.mark.parametrize("number", range(8))
def test_kill_at_a_random_moment(tmp_path, number):
    delay = random.Random(number).uniform(0.0, 0.5)
    savers, aims = pruning.SAVERS, pruning.AIMS
    saver, aim = savers[number % len(savers)], aims[number // len(savers) % len(aims)]
    outcome = pruning.kill_once(tmp_path, delay, saver, aim, number)
    assert outcome.faults == ()
    assert outcome.acknowledged > 0
