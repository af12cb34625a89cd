import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from click.testing import CliRunner

from autolog_core.cli.main import cli

KILLED = """
import os, sys
from autolog_core.session import Session
session = Session(sys.argv[1])
live = session.create_run("0", name="lost\\x1b", run_id="lost1")
live.log_metric("loss", 0.5, 3)
os.kill(os.getpid(), 9)
"""


def run(*arguments):
    return CliRunner().invoke(cli, list(arguments))


def test_check_reads_everything(call):
    result = call("db", "check")
    assert result.exit_code == 0
    assert "  runs         4\n" in result.stdout
    assert "  nothing is wrong\n" in result.stdout
    assert json.loads(call("db", "check", "--json").stdout)["ok"] is True


def test_check_takes_an_address(template):
    for address in (str(template.folder), f"sqlite:///{template.folder}/tracking.db"):
        assert run("db", "check", address).exit_code == 0
    both = run("--tracking-uri", "x", "db", "check", "y")
    assert both.exit_code == 2


def test_check_finds_a_damaged_chunk(change, seeded):
    with closing(sqlite3.connect(seeded.folder / "tracking.db")) as connection, connection:
        connection.execute("UPDATE metric_chunks SET data = x'00' WHERE key = 'val_loss'")
    result = change("db", "check")
    assert result.exit_code == 1
    assert "val_loss" in result.stdout
    assert "nothing is wrong" not in result.stdout


def test_upgrade_of_the_newest_schema_changes_nothing(change, seeded):
    result = change("db", "upgrade")
    assert result.exit_code == 0
    assert "already" in result.stdout


def test_a_newer_schema_is_refused_with_the_remedy(change, seeded):
    with closing(sqlite3.connect(seeded.folder / "tracking.db")) as connection, connection:
        connection.execute("UPDATE autolog_version SET version_num = '9999'")
    result = change("runs", "list")
    assert result.exit_code == 1
    assert result.stderr.startswith("SchemaMismatch: ")
    assert "pip install -U autolog-ml" in result.stderr
    assert change("db", "upgrade").exit_code == 1


@pytest.mark.parametrize(
    "command",
    [
        ["runs", "list"],
        ["runs", "show"],
        ["runs", "export"],
        ["experiments", "list"],
        ["artifacts", "list", "x"],
        ["sync"],
        ["db", "check"],
        ["db", "upgrade"],
    ],
)
def test_a_missing_database_is_told_and_not_made(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    result = run(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("NotFound: ")
    assert str(tmp_path / "mlruns" / "tracking.db") in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["runs", "list"], ["db", "check"], ["db", "upgrade"]])
def test_a_file_that_is_no_database_is_told(tmp_path, command):
    path = tmp_path / "x.db"
    path.write_bytes(b"no database" * 1000)
    result = run("--tracking-uri", str(path), *command)
    assert result.exit_code == 1
    assert result.stderr.startswith("CorruptStore: ")
    assert path.read_bytes() == b"no database" * 1000


def test_a_login_in_an_address_is_not_printed():
    result = run("--tracking-uri", "http://me:hunter2@host/", "runs", "list")
    assert result.exit_code == 1
    assert "hunter2" not in result.output


def test_sync_tells_what_a_killed_process_left(tmp_path):
    folder = str(tmp_path / "mlruns")
    died = subprocess.run([sys.executable, "-c", KILLED, folder], check=False, env=os.environ)
    assert died.returncode == -9
    result = run("--tracking-uri", folder, "sync")
    assert result.exit_code == 0
    assert "1 run closed as FAILED\n  lost1  lost\ufffd\n" in result.stdout
    assert run("--tracking-uri", folder, "sync").stdout == "nothing was left behind\n"
    shown = run("--tracking-uri", folder, "runs", "show", "lost1").stdout
    assert "Failure\n  process " in shown
    assert "ended without closing this run" in shown


def test_a_reading_command_brings_in_what_was_left(tmp_path):
    folder = str(tmp_path / "mlruns")
    subprocess.run([sys.executable, "-c", KILLED, folder], check=False, env=os.environ)
    assert "FAILED" in run("--tracking-uri", folder, "runs", "list").stdout
    assert json.loads(run("--tracking-uri", folder, "sync", "--json").stdout) == []
