"""What every integration must keep, as tests: subclass `PatchContract` in a test module.

class TestContract(PatchContract):
    integration = "sklearn"
    watched = ("sklearn.linear_model:Ridge.fit",)

    def data(self): ...
    def train(self, data): ...
    def train_badly(self): ...
"""

from __future__ import annotations

import functools
import gc
import importlib
import pickle
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from autolog.instrument import control, faults, guard
from autolog.instrument.wrapper import Wrapper

if TYPE_CHECKING:
    from autolog_core.entities import Run

# What is captured around any run is not of integrations, and slows the tests.
QUIET = (
    "AUTOLOG_ENABLE_SYSTEM_METRICS_LOGGING",
    "AUTOLOG_CAPTURE_CODE",
    "AUTOLOG_CAPTURE_PACKAGES",
)
ORDERS = (
    ("on", "import"),
    ("import", "on"),
    ("on", "import", "off"),
    ("import", "on", "off"),
    ("on", "off", "import"),
    ("import", "on", "off", "on"),
    ("on", "off", "import", "on"),
    ("import", "on", "on", "off"),
)


class PatchContract:
    """Calls are made once, nothing of the user's changes, and every patch can be taken back.

    Attributes:
        integration: Name of the integration.
        watched: Some of the calls that it watches, as ``"module:Class.method"``.
        threads: How many trainings run at once in the test of threads.
        orders: Orders of importing and switching, each tried in a process of its own.
    """

    integration: ClassVar[str]
    watched: ClassVar[tuple[str, ...]]
    threads: ClassVar[int] = 4
    orders: ClassVar[tuple[tuple[str, ...], ...]] = ORDERS

    def data(self) -> Any:
        """Returns new training data; equal each time."""
        raise NotImplementedError

    def train(self, data: Any) -> Any:
        """Trains once through a watched call and returns what was trained."""
        raise NotImplementedError

    def train_badly(self) -> None:
        """Makes a watched call that raises an error of the library."""
        raise NotImplementedError

    def state(self, trained: Any) -> Any:
        """Returns all that was learned, as something that can be compared."""
        return pickle.dumps(trained)

    @pytest.fixture(autouse=True)
    def contract(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """A store of its own, everything off before and after, and no error of ours."""
        from autolog_core.session import default_session, set_default

        for setting in QUIET:
            monkeypatch.setenv(setting, "false")
        faults.clear()
        set_default(str(tmp_path / "mlruns"))
        self.switch(False)
        for target in self.watched:
            importlib.import_module(target.partition(":")[0])
        yield
        self.switch(False)
        default_session().close()
        set_default(str(tmp_path / "after"))
        swallowed = faults.recent()
        faults.clear()
        assert not swallowed, swallowed[0].text

    def switch(self, on: bool) -> None:
        """Turns the integration on or off."""
        control.configure(self.integration, control.OWN, disable=not on)

    def runs(self) -> Sequence[Run]:
        """Returns the runs that there are."""
        from autolog_core.session import default_session

        return default_session().read().search_runs(["0"])

    def test_patches_go_on_and_leave_no_trace(self) -> None:
        before = [owner.__dict__.get(name) for owner, name in self._places()]
        self.switch(True)
        assert all(type(owner.__dict__[name]) is Wrapper for owner, name in self._places())
        self.switch(False)
        after = [owner.__dict__.get(name) for owner, name in self._places()]
        assert all(one is other for one, other in zip(before, after, strict=True))

    def test_switching_on_twice_patches_once(self) -> None:
        self.switch(True)
        self.switch(True)
        for owner, name in self._places():
            assert type(owner.__dict__[name].__wrapped__) is not Wrapper

    def test_the_result_is_the_same(self) -> None:
        plain = self.state(self.train(self.data()))
        self.switch(True)
        assert self.state(self.train(self.data())) == plain

    def test_arguments_are_untouched(self) -> None:
        data = self.data()
        self.train(data)
        plain = pickle.dumps(data)
        self.switch(True)
        data = self.data()
        self.train(data)
        assert pickle.dumps(data) == plain

    def test_calls_are_made_as_often_as_without(self) -> None:
        with _Counted(self._places()) as calls:
            self.train(self.data())
            plain, calls[:] = list(calls), []
            self.switch(True)
            self.train(self.data())
            assert calls == plain
            self.switch(False)

    def test_a_training_is_one_finished_run(self) -> None:
        self.switch(True)
        self.train(self.data())
        assert [run.info.status for run in self.runs()] == ["FINISHED"]
        assert self.runs()[0].data.tags["mlflow.autologging"] == self.integration

    def test_the_error_is_the_same(self) -> None:
        plain = _raised(self.train_badly)
        self.switch(True)
        error = _raised(self.train_badly)
        assert type(error) is type(plain)
        assert error.args == plain.args
        assert error.__context__ is None or plain.__context__ is not None
        frames, ours = _frames(error)
        assert frames == _frames(plain)[0]
        assert len(ours) <= 1
        assert [run.info.status for run in self.runs()] == ["FAILED"]

    def test_nothing_is_held_after_the_call(self) -> None:
        self.switch(True)
        data = self.data()
        before = sys.getrefcount(data)
        self.train(data)
        gc.collect()
        assert sys.getrefcount(data) == before

    def test_what_was_trained_loads_without_us(self, tmp_path: Path) -> None:
        self.switch(True)
        stored = pickle.dumps(self.train(self.data()))
        assert b"autolog" not in stored
        path = tmp_path / "trained.pickle"
        path.write_bytes(stored)
        program = (
            "import pickle, sys\n"
            "sys.modules.update(autolog=None, autolog_core=None, wrapt=None)\n"
            f"pickle.load(open({str(path)!r}, 'rb'))"
        )
        subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)

    def test_watched_functions_can_be_pickled(self) -> None:
        self.switch(True)
        for owner, name in self._places():
            stored = pickle.dumps(getattr(owner, name))
            assert b"autolog" not in stored
            assert pickle.loads(stored).__qualname__ == getattr(owner, name).__qualname__

    def test_threads_have_a_whole_run_each(self) -> None:
        self.switch(True)
        barrier = threading.Barrier(self.threads)

        def work() -> None:
            barrier.wait()
            self.train(self.data())

        workers = [threading.Thread(target=work) for _ in range(self.threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        runs = self.runs()
        assert [run.info.status for run in runs] == ["FINISHED"] * self.threads
        assert len({(frozenset(run.data.params), frozenset(run.data.metrics)) for run in runs}) == 1
        assert runs[0].data.params or runs[0].data.metrics

    def test_any_order_of_import_and_switch(self, tmp_path: Path) -> None:
        steps = {
            "on": f"control.configure({self.integration!r}, control.OWN)",
            "off": f"control.configure({self.integration!r}, control.OWN, disable=True)",
            "import": "\n".join(f"import {target.partition(':')[0]}" for target in self.watched),
        }
        for order in self.orders:
            on = [word for word in order if word != "import"][-1] == "on"
            lines = [
                "import sys",
                "from autolog.instrument import control, faults",
                *(steps[step] for step in order),
                "from autolog.instrument.wrapper import Wrapper",
                f"for target in {self.watched!r}:",
                "    module, _, path = target.partition(':')",
                "    *outer, name = path.split('.')",
                "    owner = sys.modules[module]",
                "    for part in outer: owner = getattr(owner, part)",
                f"    assert (type(owner.__dict__[name]) is Wrapper) is {on}, ({order!r}, target)",
                "assert not faults.recent(), faults.recent()[0].text",
            ]
            subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, cwd=tmp_path)

    def _places(self) -> list[tuple[Any, str]]:
        places = []
        for target in self.watched:
            module, _, path = target.partition(":")
            *outer, name = path.split(".")
            owner: Any = sys.modules[module]
            for part in outer:
                owner = getattr(owner, part)
            places.append((owner, name))
        return places


class _Counted:
    """Puts functions in place that write down each call, and takes them away again."""

    def __init__(self, places: list[tuple[Any, str]]) -> None:
        self._raw = [(owner, name, owner.__dict__[name]) for owner, name in places]

    def __enter__(self) -> list[str]:
        calls: list[str] = []
        for owner, name, raw in self._raw:
            setattr(owner, name, _counting(raw, calls))
        return calls

    def __exit__(self, *_: object) -> None:
        for owner, name, raw in self._raw:
            setattr(owner, name, raw)


def _counting(raw: Callable[..., Any], calls: list[str]) -> Callable[..., Any]:
    @functools.wraps(raw)
    def counting(*args: Any, **kwargs: Any) -> Any:
        calls.append(raw.__qualname__)
        return raw(*args, **kwargs)

    return counting


def _frames(error: BaseException) -> tuple[list[str], list[str]]:
    """Returns the functions that an error passed through: the user's, and those of our guard."""
    names: list[str] = []
    ours: list[str] = []
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == guard.__file__:
            ours.append(frame.name)
        elif "wrapt" not in Path(frame.filename).parts:
            names.append(frame.name)
    return names, ours


def _raised(act: Callable[[], None]) -> BaseException:
    try:
        act()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")
