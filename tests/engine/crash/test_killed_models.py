"""A model whose process died while it was being saved is FAILED, and says so."""

import os
import signal
import subprocess
import sys

import pytest

from autolog_core.entities import LoggedModelStatus
from autolog_core.logged_models import begin_model, live_model
from autolog_core.session import Session

CHILD = """
import os, signal, sys
from autolog_core.logged_models import begin_model
from autolog_core.runs import begin_run
from autolog_core.session import Session

session = Session(sys.argv[1])
live = begin_run(session, log_system_metrics=False)
pending = begin_model(session, "0", name="pending", source_run_id=live.run_id, params={"a": 1})
ready = begin_model(session, "0", name="ready")
failed = begin_model(session, "0", name="failed")
live.log_outputs([(pending.model_id, 3)])
live.log_metric("acc", 0.5, 3)
ready.finish()
failed.finish("FAILED", "no space left")
if sys.argv[2] == "stored":
    session.drain()
print(pending.model_id, ready.model_id, failed.model_id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("when", ["stored", "journal"])
def test_kill_while_pending(tmp_path, when):
    address = f"sqlite:///{tmp_path}/tracking.db"
    Session(address).store().close()
    child = subprocess.run(
        [sys.executable, "-c", CHILD, address, when], capture_output=True, text=True, check=False
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    session = Session(address)
    store = session.read()
    pending, ready, failed = (store.get_logged_model(one) for one in child.stdout.split())
    assert pending.status is LoggedModelStatus.FAILED
    assert "not finished" in pending.status_message
    assert "killed" in pending.status_message
    assert pending.params == {"a": "1"}
    assert [(metric.key, metric.value) for metric in pending.metrics] == [("acc", 0.5)]
    assert (ready.status, ready.status_message) == (LoggedModelStatus.READY, None)
    assert (failed.status, failed.status_message) == (LoggedModelStatus.FAILED, "no space left")
    session.close()


def test_a_process_that_ends_with_a_pending_model(tmp_path):
    session = Session(f"sqlite:///{tmp_path}/tracking.db")
    owned = begin_model(session, "0").model_id
    free = begin_model(session, "0", owned=False).model_id
    session.close()
    other = Session(f"sqlite:///{tmp_path}/tracking.db")
    store = other.read()
    assert store.get_logged_model(owned).status is LoggedModelStatus.FAILED
    assert store.get_logged_model(free).status is LoggedModelStatus.PENDING
    live_model(other, owned).finish()
    assert other.read().get_logged_model(owned).status is LoggedModelStatus.READY
    other.close()


def test_a_forked_child_finishes_the_model_of_its_parent(tmp_path):
    session = Session(f"sqlite:///{tmp_path}/tracking.db")
    live = begin_model(session, "0", tags={"a": "1"})
    child = os.fork()
    if child == 0:
        live.set_tags({"child": "1"})
        live.finish()
        session.close()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    live.set_tags({"parent": "1"})
    model = session.read().get_logged_model(live.model_id)
    assert model.status is LoggedModelStatus.READY
    assert model.tags == {"a": "1", "child": "1", "parent": "1"}
    session.close()
    again = Session(f"sqlite:///{tmp_path}/tracking.db")
    assert again.read().get_logged_model(live.model_id).status is LoggedModelStatus.READY
    again.close()
