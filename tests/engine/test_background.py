"""Background work is done in order, and at the end of a process without a thread."""

import os
import sys
import textwrap
import threading
import warnings

import pytest

from autolog_core.background import Background


def test_jobs_run_in_their_order_on_one_thread():
    background, seen = Background("test"), []
    for number in range(20):
        background.submit(lambda number=number: seen.append((number, threading.current_thread())))
    assert background.wait(60)
    assert [number for number, _ in seen] == list(range(20))
    assert len({thread for _, thread in seen}) == 1


def test_a_job_that_raises_is_counted_and_the_next_one_goes_on(caplog):
    background, seen = Background("test"), []
    background.submit(lambda: 1 / 0)
    background.submit(lambda: seen.append(1))
    assert background.wait(60)
    assert (background.failures, seen) == (1, [1])
    assert "division by zero" in caplog.text


def test_a_process_that_starts_no_more_threads_does_the_work_itself(monkeypatch):
    """As Python 3.12 does at its end, jobs of jobs included."""

    def refuse(self):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    background, seen = Background("test"), []

    def first():
        background.submit(lambda: seen.append("second"))
        seen.append("first")

    number = background.submit(first)
    assert seen == ["first", "second"]
    assert background.wait(0, number)
    background.submit(lambda: seen.append("third"))
    assert seen == ["first", "second", "third"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_imports_what_a_thread_was_importing(tmp_path, monkeypatch):
    """The thread does not exist in the child, so nobody there would ever finish the module."""
    (tmp_path / "autolog_slow.py").write_text(
        textwrap.dedent(
            """
            import threading
            started, go_on = threading.started, threading.go_on
            started.set()
            go_on.wait()
            whole = True
            """
        )
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(threading, "started", threading.Event(), raising=False)
    monkeypatch.setattr(threading, "go_on", threading.Event(), raising=False)
    thread = threading.Thread(target=lambda: __import__("autolog_slow"))
    thread.start()
    threading.started.wait()
    with warnings.catch_warnings():
        # Python 3.12 warns of forks in processes with threads; that is what is tried here.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        threading.go_on.set()
        from autolog_slow import whole

        os._exit(0 if whole else 1)
    threading.go_on.set()
    thread.join()
    sys.modules.pop("autolog_slow", None)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
