"""A library and an integration of it, small enough to see through."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from autolog.instrument import control, faults, registry

LIBRARY = """
__version__ = "1.0"

class Model:
    def __init__(self, rate=0.5):
        self.rate = rate

    def fit(self, rows, *, weight=None, **extra):
        if rows == "bad":
            raise ValueError("bad rows")
        if rows == "stop":
            raise KeyboardInterrupt
        if rows == "inner":
            Model(0.1).fit([1])
        self.seen = (rows, weight, extra)
        return self

    @classmethod
    def made(cls, rows):
        return cls().fit(rows)

    @staticmethod
    def helper(rows):
        return Model().fit(rows)

class Child(Model):
    pass

def train(rows):
    return Model().fit(rows)

async def later(rows):
    return rows

def lazily(rows):
    yield rows
"""

ROOM = """
from autolog.instrument.spec import IntegrationSpec, Options
import toyflags

SPEC = IntegrationSpec(
    name="toy", package="toy", supports=">=1,<2", hooks=("toylib",), patch="toyroom:install",
    without_effect={"log_input_examples": "there are no models"},
)

def install(patches, module):
    if toyflags.broken == "install":
        raise RuntimeError("install")
    patches.observe(module.Model, "fit", Fit)

class Fit:
    def __init__(self, options):
        self.options = options

    def wants(self, call):
        if toyflags.broken == "wants":
            raise RuntimeError("wants")
        return call.get("rows") != "boring"

    def title(self, call):
        return type(call.instance).__name__

    def before(self, call, recorder):
        toyflags.seen.append(("before", call.arguments()))
        recorder.params({"rate": call.instance.rate})
        if toyflags.broken == "before":
            raise RuntimeError("before")
        if toyflags.broken == "interrupt":
            raise KeyboardInterrupt
        if toyflags.change:
            return call.replace(**toyflags.change)

    def after(self, call, recorder, result):
        toyflags.seen.append(("after", result))
        if toyflags.broken == "after":
            raise RuntimeError("after")
        recorder.metrics({"loss": 0.25}, step=3)

    def failed(self, call, recorder, error):
        toyflags.seen.append(("failed", type(error)))
        if toyflags.broken == "failed":
            raise RuntimeError("failed")
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracking: Path) -> Iterator:
    """Gives `lib()`, which imports the library, and `flags`, which say how the room behaves."""
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "toylib.py").write_text(LIBRARY)
    (folder / "toyroom.py").write_text(ROOM)
    (folder / "toyflags.py").write_text("broken = None\nchange = {}\nseen = []\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setitem(registry.BUILTIN, "toy", "toyroom:SPEC")
    importlib.invalidate_caches()
    yield SimpleNamespace(
        lib=lambda: importlib.import_module("toylib"),
        flags=importlib.import_module("toyflags"),
        on=lambda **options: control.configure("toy", control.OWN, **options),
        off=lambda: control.configure("toy", control.OWN, disable=True),
        folder=folder,
    )
    control.configure("toy", control.OWN, disable=True)
    for name in ("toylib", "toyroom", "toyflags"):
        sys.modules.pop(name, None)
    control._integrations.pop("toy")


@pytest.fixture(autouse=True)
def swallowed(request: pytest.FixtureRequest) -> Iterator[list[faults.Fault]]:
    """Fails a test in which an error of ours was kept from the user's program.

    A test that provokes such errors asks for this fixture, and finds them in the list.
    """
    faults.clear()
    expected = "swallowed" in request.node.function.__code__.co_varnames
    found = _Recent()
    yield found
    rest = faults.recent()
    faults.clear()
    assert expected or not rest, rest[0].text


class _Recent:
    """The faults up to the moment of asking."""

    def phases(self) -> list[str]:
        return [fault.phase for fault in faults.recent()]

    def texts(self) -> str:
        return "".join(fault.text for fault in faults.recent())


@pytest.fixture
def runs(tracking: Path):
    """Gives a function that returns all runs, oldest first."""
    from autolog_core.session import default_session

    def read():
        found = default_session().read().search_runs(["0"])
        return sorted(found, key=lambda run: run.info.start_time)

    return read
