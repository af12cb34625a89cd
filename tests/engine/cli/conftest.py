"""A real store with runs in it, and ways to call the command line on it."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from autolog_core.artifacts.locate import open_repository
from autolog_core.cli.main import cli
from autolog_core.config import Settings
from autolog_core.entities import CONTEXT_TAG, Dataset, DatasetInput, InputTag
from autolog_core.session import Session

BEGIN = 1_700_000_000_000
TRACEBACK = 'Traceback (most recent call last):\n  File "train.py", line 3\nValueError: bad "数"\n'


@dataclass(frozen=True)
class Seeded:
    """The store that the commands are tried on.

    Attributes:
        runs: Run id by name.
    """

    folder: Path
    runs: dict[str, str]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AUTOLOG_", "MLFLOW_")) or name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    folder = tmp_path_factory.mktemp("template") / "mlruns"
    return seed(folder)


@pytest.fixture
def seeded(tmp_path: Path) -> Seeded:
    """A store of its own, for commands that write."""
    return seed(tmp_path / "mlruns")


def seed(folder: Path) -> Seeded:
    session = Session(str(folder), Settings(user="ada"))
    store = session.read()
    flowers = store.create_experiment("flowers", tags={"team": "vision"})
    ships = store.create_experiment("Übersetzung 模型")
    runs = {}
    for place, (name, lr) in enumerate((("red", 0.1), ("green", 0.01), ("blue", 0.001))):
        live = session.create_run(
            flowers, name=name, start_time=BEGIN + place, tags={"team": "vision"}
        )
        live.log_params({"lr": lr, "depth": 4, "data": "x" * 300})
        steps = list(range(50))
        live.append_series(
            "val_loss", steps, [BEGIN + step for step in steps], [lr / (s + 1) for s in steps]
        )
        live.append_series("gone", steps[:2], [BEGIN, BEGIN], [float("nan"), float("inf")])
        live.log_metrics({"test_accuracy": 0.5 + place / 10, "system/cpu": 9.0})
        data = Dataset("iris", "d1g", "local", '{"uri":"/iris.csv"}', None, '{"num_rows":150}')
        live.log_inputs([DatasetInput(data, (InputTag(CONTEXT_TAG, "train"),))])
        live.end("FINISHED", BEGIN + 5000)
        runs[name] = live.run_id
    broken = session.create_run(ships, name="sunk \x1b[31m模", start_time=BEGIN + 9)
    broken.set_tags({"autolog.failure.type": "ValueError", "mlflow.note.content": "# Why\nit sank"})
    files = open_repository(broken.artifact_uri)
    files.write_bytes("failure/traceback.txt", TRACEBACK.encode())
    files.write_bytes("model/weights.bin", bytes(range(256)))
    files.write_bytes("notes.txt", b"one\ntwo\n")
    broken.end("FAILED", BEGIN + 60_000)
    runs["sunk"] = broken.run_id
    session.close()
    return Seeded(folder, runs)


@pytest.fixture
def call(template: Seeded) -> Callable[..., Result]:
    """Calls a reading command on the common store, as in a pipe."""
    return caller(template.folder)


@pytest.fixture
def change(seeded: Seeded) -> Callable[..., Result]:
    """Calls a command on a store of this test's own."""
    return caller(seeded.folder)


def caller(folder: Path) -> Callable[..., Result]:
    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(cli, ["--tracking-uri", str(folder), *arguments], input=stdin)

    return invoke


@pytest.fixture
def on_terminal(template: Seeded) -> Callable[..., str]:
    """Calls a command in a process of its own on a terminal of a given width."""

    def run(*arguments: str, width: int = 80, colour: bool = False, **variables: str) -> str:
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
        environment |= {"TERM": "xterm-256color", "PYTHONUTF8": "1", **variables}
        command = [sys.executable, "-m", "autolog_core.cli", "--tracking-uri", template.folder]
        with subprocess.Popen(
            [*command, *arguments], stdin=side, stdout=side, stderr=side, env=environment
        ) as process:
            os.close(side)
            shown = b""
            while part := read_terminal(main):
                shown += part
        os.close(main)
        assert process.returncode == 0, shown.decode()
        text = shown.decode().replace("\r\n", "\n")
        return text if colour else re.sub(r"\x1b\[[0-9;]*m", "", text)

    return run


def read_terminal(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""  # Linux reports the end of a terminal as an error
