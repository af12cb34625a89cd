"""The bar of long copies: only late, only on a terminal, only if wanted."""

import os
import pty
import subprocess
import sys
import textwrap

import pytest

from autolog_core.artifacts import progress
from autolog_core.artifacts.progress import CopyProgress, is_terminal
from autolog_core.config import read_settings

PROGRAM = textwrap.dedent(
    """
    import sys
    from autolog_core.artifacts import open_repository, progress

    progress.DELAY = 0.0
    repository = open_repository(sys.argv[1])
    repository.log_file(sys.argv[2])
    print("rich" in sys.modules, repository.exists("file.bin"))
    """
)


def on_a_terminal(tmp_path, **environment):
    """Returns what a person sees, and what the program prints."""
    source = tmp_path / "file.bin"
    source.write_bytes(os.urandom(20 << 20))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "root"), str(source)]
    program = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", **environment},
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
    os.close(ours)
    printed, _ = program.communicate()
    assert program.returncode == 0
    return seen.decode(errors="replace"), printed.decode().split()


def test_a_long_copy_on_a_terminal_shows_a_bar(tmp_path):
    seen, printed = on_a_terminal(tmp_path)
    assert "file.bin" in seen
    assert printed == ["True", "True"]


@pytest.mark.parametrize("prefix", ["AUTOLOG_", "MLFLOW_"])
def test_the_setting_turns_it_off(tmp_path, prefix):
    seen, printed = on_a_terminal(tmp_path, **{f"{prefix}ENABLE_ARTIFACTS_PROGRESS_BAR": "false"})
    assert seen == ""
    assert printed == ["False", "True"]


def test_where_nobody_watches_there_is_none(monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0.0)
    monkeypatch.setattr(sys, "stderr", None)
    with CopyProgress("x", 10, True) as bar:
        bar.advance(5)
        assert not bar.shown


def test_a_short_copy_shows_none():
    with CopyProgress("x", 10, True) as bar:
        bar.advance(10)
        assert not bar.shown


def test_closed_streams_are_no_terminals(tmp_path):
    stream = (tmp_path / "x").open("w")
    assert not is_terminal(stream)
    stream.close()
    assert not is_terminal(stream)
    assert not is_terminal(None)


def test_it_is_on_unless_said_otherwise():
    assert read_settings({}).artifacts_progress_bar
    assert not read_settings({"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "0"}).artifacts_progress_bar
