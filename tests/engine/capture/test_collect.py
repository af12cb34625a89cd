"""All that is captured of a run, and that each part fails alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autolog_core.capture import collect as module
from autolog_core.capture.collect import (
    DIFF_FILE,
    ENVIRONMENT_FILE,
    REQUIREMENTS_FILE,
    code_folder,
    collect,
    read_facts,
)
from autolog_core.capture.source import Source
from autolog_core.config import Settings
from autolog_core.limits import TAG_VALUE_LENGTH, check_key, check_text

PROGRAM = """
import json
from autolog_core.capture.collect import collect
from autolog_core.config import read_settings

captured = collect(read_settings())
files = {path: data.decode() for path, data in captured.files.items()}
print(json.dumps([captured.tags, files, captured.skipped]))
"""


def git(folder, *arguments):
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "train.py").write_text(PROGRAM)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "remote", "add", "origin", "https://me:secret@example.com/a.git")
    return folder


def run(project, folder, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, str(project / "train.py"), *arguments],
        cwd=folder,
        env={**os.environ, "LOGNAME": "ada", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_a_script_is_captured_from_wherever_it_is_started(project, tmp_path):
    with (project / "train.py").open("a") as file:
        file.write("# changed\n")
    tags, files, skipped = run(project, tmp_path, "--token", "hush")
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, check=True
    )
    assert tags == {
        "mlflow.user": "ada",
        "mlflow.source.name": str(project / "train.py"),
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": head.stdout.strip(),
        "mlflow.source.git.branch": "main",
        "mlflow.source.git.dirty": "true",
        "mlflow.source.git.repoURL": "https://example.com/a.git",
    }
    assert skipped == {}
    assert "+# changed" in files[DIFF_FILE]
    assert "psutil==" in files[REQUIREMENTS_FILE]
    document = json.loads(files[ENVIRONMENT_FILE])
    assert document["source"]["arguments"] == ["--token", "***"]
    assert document["source"]["folder"] == str(tmp_path)
    assert document["git"]["dirty"] is True
    assert document["machine"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert "skipped" not in document
    for key, value in tags.items():
        check_text(value, TAG_VALUE_LENGTH, check_key(key, "tag"))


def test_a_clean_tree_has_no_difference_to_keep(project):
    tags, files, _ = run(project, project)
    assert tags["mlflow.source.git.dirty"] == "false"
    assert set(files) == {ENVIRONMENT_FILE, REQUIREMENTS_FILE}


def test_parts_can_be_turned_off(project):
    settings = {"AUTOLOG_CAPTURE_CODE": "false", "AUTOLOG_CAPTURE_PACKAGES": "false"}
    tags, files, _ = run(project, project, **settings)
    assert set(tags) == {"mlflow.user", "mlflow.source.name", "mlflow.source.type"}
    assert set(files) == {ENVIRONMENT_FILE}


def test_the_code_is_looked_at_each_time_and_the_machine_once(project, monkeypatch):
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "argv", ["-c"])
    settings = Settings()
    facts = read_facts(settings)
    assert collect(settings, facts).tags["mlflow.source.git.dirty"] == "false"
    (project / "train.py").write_text("changed\n")
    monkeypatch.setattr(module, "read_machine", None)
    assert collect(settings, facts).tags["mlflow.source.git.dirty"] == "true"


@pytest.mark.parametrize(
    ("function", "part"),
    [
        ("read_machine", "machine"),
        ("read_user", "user"),
        ("packages", "packages"),
        ("imported_packages", "imported packages"),
        ("read_source", "source"),
        ("git_state", "git"),
    ],
)
def test_each_part_fails_alone(project, monkeypatch, function, part):
    def fail(*arguments, **named):
        raise OSError("broken disk")

    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "argv", ["-c"])
    whole = collect(Settings())
    monkeypatch.setattr(module, function, fail)
    captured = collect(Settings())
    assert captured.skipped == {part: "OSError: broken disk"}
    document = json.loads(captured.files[ENVIRONMENT_FILE])
    assert document["skipped"] == captured.skipped
    lost = (len(whole.tags) - len(captured.tags)) + (len(whole.files) - len(captured.files))
    assert lost == {"user": 1, "packages": 1, "source": 2, "git": 4}.get(part, 0)


def test_what_git_could_not_tell_is_named(project, monkeypatch, tmp_path):
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "argv", ["-c"])
    monkeypatch.setenv("PATH", str(tmp_path))
    captured = collect(Settings())
    assert "git is not installed" in captured.skipped["git"]
    assert captured.tags["mlflow.source.git.branch"] == "main"
    assert "mlflow.source.git.dirty" not in captured.tags


def source(file):
    return Source("x", "LOCAL", "script", (), "/work", file)


def test_installed_programs_are_not_the_users_code(tmp_path):
    assert code_folder(source(str(tmp_path / "train.py"))) == str(tmp_path)
    assert code_folder(source(None)) == "/work"
    assert code_folder(source(str(Path(sys.executable).with_name("pytest")))) == "/work"
    assert code_folder(source(pytest.__file__)) == "/work"
    assert code_folder(source(json.__file__)) == "/work"
