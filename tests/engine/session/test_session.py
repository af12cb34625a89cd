"""What was logged is read, whoever logged it and however its process ended."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from autolog_core.config import Settings
from autolog_core.entities import Metric, Param, RunTag
from autolog_core.errors import InvalidArgument, NotFound, StorageError, StorageFull
from autolog_core.runs import begin_run, choose_experiment, finish_run, named_experiment
from autolog_core.session import Session

QUIET = Settings(system_metrics=False, capture_code=False, capture_packages=False)


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/tracking.db"


@pytest.fixture
def session(address: str):
    made = Session(address, QUIET)
    yield made
    made.close()


def run_python(code: str, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


START = """
import os, sys
from autolog_core.session import Session
from autolog_core.runs import begin_run, finish_run
session = Session(sys.argv[1])
live = begin_run(session, log_system_metrics=False)
live.log_metric("loss", 1.5, 3)
print(live.run_id, flush=True)
"""


def test_you_read_what_you_wrote(session):
    live = begin_run(session, run_name="first", tags={"team": "a"}, description="**note**")
    live.log_metric("loss", 0.5, 1, 10)
    live.log_metric("loss", 0.25, 2, 20)
    live.log_metrics({"acc": 0.5, "f1": 0.25}, 2, 20)
    live.log_batch([Metric("loss", 0.125, 30, 3)], [Param("lr", "0.1")], [RunTag("t", "1")])
    run = session.read().get_run(live.run_id)
    assert run.info.status == "RUNNING"
    assert run.info.run_name == "first"
    assert run.data.metrics == {"loss": 0.125, "acc": 0.5, "f1": 0.25}
    assert run.data.params == {"lr": "0.1"}
    assert run.data.tags["team"] == "a"
    assert run.data.tags["t"] == "1"
    assert run.data.tags["mlflow.note.content"] == "**note**"
    assert session.read().get_metric_series(live.run_id, "loss").steps.tolist() == [1, 2, 3]
    finish_run(live, session=session)
    info = session.read().get_run(live.run_id).info
    assert info.status == "FINISHED"
    assert info.end_time >= info.start_time


def test_threads_share_a_journal_and_lose_nothing(session):
    live = begin_run(session)

    def log(index: int) -> None:
        for step in range(5000):
            live.log_metric(f"m{index}", float(step), step)

    threads = [threading.Thread(target=log, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = session.read()
    for index in range(8):
        assert store.get_metric_series(live.run_id, f"m{index}").steps.tolist() == list(range(5000))


def test_a_resumed_run_runs_again_and_knows_its_params(address):
    first = Session(address, QUIET)
    live = begin_run(first, tags={"k": "v"})
    live.log_params({"lr": 0.1})
    finish_run(live, session=first)
    first.close()
    second = Session(address, QUIET)
    again = begin_run(second, run_id=live.run_id)
    assert second.read().get_run(live.run_id).info.status == "RUNNING"
    assert second.read().get_run(live.run_id).info.end_time is None
    with pytest.raises(InvalidArgument, match="written once"):
        again.log_params({"lr": 0.2})
    again.log_params({"lr": 0.1, "new": 1})
    finish_run(again, session=second)
    run = second.read().get_run(live.run_id)
    assert run.data.params == {"lr": "0.1", "new": "1"}
    assert run.info.status == "FINISHED"
    second.close()


def test_a_run_that_is_logged_to_by_id_is_looked_up_once(session, monkeypatch):
    run_id = session.create_run("0").run_id
    session.live(run_id).log_metric("a", 1.0)
    session.read()
    monkeypatch.setattr(session, "read", lambda: pytest.fail("the run is looked up again"))
    session.live(run_id).log_metric("a", 2.0)


def test_runs_that_cannot_be_written(session):
    with pytest.raises(NotFound):
        session.live("0" * 32)
    with pytest.raises(InvalidArgument, match="invalid"):
        session.live("../x")
    live = begin_run(session)
    finish_run(live, session=session)
    session.read().delete_run(live.run_id)
    session.forget(run_id=live.run_id)
    with pytest.raises(InvalidArgument, match="restore_run"):
        session.resume_run(live.run_id)


def test_experiments_for_new_runs(address):
    session = Session(address, Settings(experiment_name="named", system_metrics=False))
    live = begin_run(session)
    assert session.experiment(live.experiment_id).name == "named"
    session.close()
    session = Session(address, QUIET)
    assert choose_experiment(session) == "0"
    chosen = named_experiment(session, "named")
    assert chosen == live.experiment_id
    session.store().delete_experiment(chosen)
    with pytest.raises(InvalidArgument, match="is deleted"):
        named_experiment(session, "named")
    with pytest.raises(NotFound):
        begin_run(session, experiment_id="999")
    with pytest.raises(InvalidArgument, match="deleted"):
        begin_run(session, experiment_id=chosen)
    session.close()


def test_a_failed_run_keeps_its_exception(session):
    live = begin_run(session)
    try:
        raise KeyError("nothing here")
    except KeyError as error:
        finish_run(live, "FAILED", session=session, exception=error)
    run = session.read().get_run(live.run_id)
    assert run.info.status == "FAILED"
    assert run.data.tags["autolog.failure.type"] == "KeyError"
    assert "nothing here" in run.data.tags["autolog.failure.message"]
    kept = Path(live.artifact_uri.removeprefix("file://")) / "failure" / "traceback.txt"
    assert "test_a_failed_run_keeps_its_exception" in kept.read_text()


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("", "FINISHED"),
        ("raise ValueError('boom')", "FAILED"),
        ("sys.exit(0)", "FINISHED"),
        ("finish_run(live, 'KILLED', session=session)", "KILLED"),
        ("os._exit(0)", "FAILED"),
        ("os.kill(os.getpid(), 9)", "FAILED"),
        ("os.kill(os.getpid(), 15)", "FAILED"),
        ("os.abort()", "FAILED"),
    ],
)
def test_a_run_ends_as_its_process_did(address, ending, status):
    done = run_python(START + ending, address)
    run_id = done.stdout.strip()
    session = Session(address, QUIET)
    run = session.read().get_run(run_id)
    assert run.info.status == status
    assert run.data.metrics == {"loss": 1.5}
    if "raise" in ending:
        assert run.data.tags["autolog.failure.message"] == "boom"
    if "os." in ending:
        assert "ended without closing" in run.data.tags["autolog.end_cause"]
        assert run.info.end_time >= run.info.start_time
    # A second look finds nothing more to recover.
    assert session.recover() == []
    session.close()
    assert not list(Path(address[10:] + ".spool").iterdir())


def test_a_living_process_keeps_its_runs(address):
    child = subprocess.Popen(
        [sys.executable, "-c", START + "sys.stdin.read()", address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    run_id = child.stdout.readline().strip()
    session = Session(address, QUIET)
    assert session.recover() == []
    child.communicate("")
    assert session.read().get_run(run_id).info.status == "FINISHED"
    session.close()


FORK = """
import os, sys
from autolog_core.session import Session
from autolog_core.runs import begin_run, finish_run
session = Session(sys.argv[1])
live = begin_run(session, log_system_metrics=False)
live.log_metric("parent", 1.0, 0)
children = []
for index in range(3):
    pid = os.fork()
    if pid == 0:
        for step in range(100):
            live.log_metric(f"child{index}", float(step), step)
        if index == 0:
            session.close()
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
live.log_metric("parent", 2.0, 1)
run = session.read().get_run(live.run_id)
assert run.info.status == "RUNNING", run.info
assert sorted(run.data.metrics) == ["child0", "child1", "child2", "parent"], run.data.metrics
assert all(run.data.summaries[f"child{i}"].points == 100 for i in range(3))
print(live.run_id)
"""


def test_forked_children_log_to_their_parents_run(address):
    done = run_python("import warnings; warnings.simplefilter('ignore')\n" + FORK, address)
    assert done.returncode == 0, done.stderr
    session = Session(address, QUIET)
    assert session.read().get_run(done.stdout.strip()).info.status == "FINISHED"
    session.close()


WORKERS = """
import multiprocessing, sys
from autolog_core.session import Session
from autolog_core.runs import begin_run, finish_run

def work(address, index):
    session = Session(address)
    live = begin_run(session, run_name=f"worker{index}", log_system_metrics=False)
    for step in range(200):
        live.log_metric("x", float(step), step)
    finish_run(live, session=session)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[2])
    workers = [context.Process(target=work, args=(sys.argv[1], i)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
"""


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_multiprocessing_workers_end_their_own_runs(address, tmp_path, method):
    script = tmp_path / "workers.py"
    script.write_text(WORKERS)
    done = subprocess.run(
        [sys.executable, str(script), address, method],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Each worker wrote its run out before it ended: nothing is left to recover.
    assert not list(Path(address[10:] + ".spool").iterdir())
    session = Session(address, QUIET)
    runs = session.read().search_runs(["0"])
    assert sorted(run.info.run_name for run in runs) == [f"worker{i}" for i in range(4)]
    assert all(run.info.status == "FINISHED" for run in runs)
    assert all(run.data.summaries["x"].points == 200 for run in runs)
    session.close()


def test_a_damaged_journal_gives_up_what_came_before(address, caplog):
    code = START + (
        "for step in range(100): live.log_metric('m', float(step), step)\nos.kill(os.getpid(), 9)"
    )
    # One second between commits leaves all of it in the journal.
    done = run_python(code, address, env={**os.environ, "AUTOLOG_FLUSH_INTERVAL": "60"})
    run_id = done.stdout.strip()
    spool = Path(address[10:] + ".spool")
    segment = next(spool.glob("*/*.segment"))
    content = bytearray(segment.read_bytes())
    last = len(content.rstrip(b"\0"))
    content[last - 30] ^= 0xFF
    segment.write_bytes(content)
    session = Session(address, QUIET)
    run = session.read().get_run(run_id)
    assert run.info.status == "FAILED"
    assert "damaged" in run.data.tags["autolog.end_cause"]
    assert run.data.summaries["m"].points == 99
    assert "damaged" in caplog.text
    assert [path.suffix for path in spool.iterdir()] == [".damaged"]
    session.close()


def test_death_while_a_segment_is_made_harms_none(address, caplog):
    code = START + (
        "from autolog_core.journal import segment\n"
        "segment._reserve = lambda *_: os.kill(os.getpid(), 9)\n"
        "for step in range(100_000): live.log_metric('m', float(step), step)\n"
    )
    done = run_python(code, address, env={**os.environ, "AUTOLOG_FLUSH_INTERVAL": "60"})
    assert done.returncode == -9
    session = Session(address, QUIET)
    run = session.read().get_run(done.stdout.strip())
    assert run.data.summaries["m"].points > 6000
    assert "damaged" not in run.data.tags["autolog.end_cause"]
    assert "damaged" not in caplog.text
    session.close()


def test_no_room_for_a_spare_segment_does_not_stop_the_writing(session, monkeypatch):
    live = begin_run(session)
    session.drain()
    applied = threading.Event()
    store = session.store()
    real = store.apply

    def full(_) -> None:
        raise StorageFull("no space left")

    def apply(*arguments):
        report = real(*arguments)
        applied.set()
        return report

    monkeypatch.setattr(type(session._pump.writer), "prepare_spare", full)
    monkeypatch.setattr(store, "apply", apply)
    live.log_metric("m", 1.0)
    assert applied.wait(30)


def test_a_journal_that_goes_is_not_taken_for_a_dead_one(address, monkeypatch):
    """While its files are deleted one by one, another process looks for journals to replay."""
    session = Session(address, QUIET)
    live = begin_run(session)
    live.log_metric("m", 1.0)
    finish_run(live, session=session)
    real = shutil.rmtree
    looks = []

    def rmtree(folder: Path, **options) -> None:
        (Path(folder) / "lock").unlink()
        code = (
            "import sys; from autolog_core.session import Session\n"
            "print(Session(sys.argv[1]).recover())"
        )
        looks.append(run_python(code, address).stdout.strip())
        real(folder, **options)

    monkeypatch.setattr("shutil.rmtree", rmtree)
    session.close()
    assert looks == ["[]"]
    assert not list(Path(address[10:] + ".spool").iterdir())


def test_what_the_store_refuses_stays_for_later(address, caplog):
    session = Session(address, QUIET)
    live = begin_run(session)
    session.read()
    database = Path(address[10:])
    with database.open("r+b") as file:
        head = file.read(100)
        file.seek(0)
        file.write(b"x" * 100)
    live.log_metric("late", 1.0, 0)
    session.store().close()
    session._store = None
    with pytest.raises(StorageError):
        session.read()
    session._pump.close()
    assert "kept in" in caplog.text
    session._pump = None
    session._closed = True
    with database.open("r+b") as file:
        file.write(head)
    again = Session(address, QUIET)
    assert again.read().get_run(live.run_id).data.metrics == {"late": 1.0}
    again.close()


@pytest.mark.parametrize(
    "text",
    ["sqlite://", "sqlite:///:memory:", "postgresql://host/db", "http://host:5000", "s3://bucket"],
)
def test_addresses_that_name_no_store(text):
    with pytest.raises(InvalidArgument, match="tracking address"):
        Session(text)


def test_addresses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Session(None, QUIET).address == f"sqlite:///{tmp_path}/mlruns/tracking.db"
    assert Session("sqlite:///a/b.db", QUIET).address == f"sqlite:///{tmp_path}/a/b.db"
    assert Session(f"sqlite:///{tmp_path}/b.db", QUIET).address == f"sqlite:///{tmp_path}/b.db"
    assert Session("runs", QUIET).address == f"sqlite:///{tmp_path}/runs/tracking.db"
    assert Session("file:///x/y", QUIET).address == "sqlite:////x/y/tracking.db"
    assert Session("file:./runs", QUIET).address == f"sqlite:///{tmp_path}/runs/tracking.db"


def test_a_closed_session_says_so(address):
    session = Session(address, QUIET)
    live = begin_run(session)
    session.close()
    with pytest.raises((StorageError, InvalidArgument), match="closed"):
        live.log_metric("a", 1.0)
    session.close()


def test_signals_do_not_tear_records(address):
    """A handler that logs runs between any two bytecodes of a logging call."""
    code = START + (
        "import itertools, signal\n"
        "count = itertools.count()\n"
        "def tick(*_): live.log_metric('tick', 1.0, next(count))\n"
        "signal.signal(signal.SIGALRM, tick)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.002, 0.003)\n"
        "for step in range(60000): live.log_metric('tock', float(step), step)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0)\n"
        "print(next(count))\n"
    )
    done = run_python(code, address)
    assert done.returncode == 0, done.stderr
    run_id, count = done.stdout.split()
    session = Session(address, QUIET)
    store = session.read()
    assert store.get_metric_series(run_id, "tock").steps.tolist() == list(range(60000))
    assert sorted(store.get_metric_series(run_id, "tick").steps.tolist()) == list(range(int(count)))
    session.close()


def test_ctrl_c_leaves_no_hole(address):
    code = START + (
        "import signal\n"
        "told = 0\n"
        "try:\n"
        "    step = 0\n"
        "    while True:\n"
        "        live.log_metric('m', 0.0, step)\n"
        "        told = step\n"
        "        step += 1\n"
        "        if step == 20000: print('ready', flush=True)\n"
        "except KeyboardInterrupt:\n"
        "    live.log_metric('after', 1.0, 0)\n"
        "    print(told)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, address], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    run_id = child.stdout.readline().strip()
    child.stdout.readline()
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate()
    session = Session(address, QUIET)
    run = session.read().get_run(run_id)
    assert run.data.metrics["after"] == 1.0
    assert run.data.summaries["m"].points >= int(out) + 1
    session.close()


def test_what_a_quiet_process_logged_is_synced(session, monkeypatch):
    """After the last record nothing wakes the writer thread, and still it syncs."""
    from autolog_core.journal import pump

    monkeypatch.setattr(pump, "SYNC_INTERVAL", 0.05)
    synced = threading.Event()
    store = session.store()
    real = store.sync
    monkeypatch.setattr(store, "sync", lambda: (real(), synced.set()))
    begin_run(session).log_metric("m", 1.0)
    assert synced.wait(30)
