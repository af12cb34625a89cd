import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from autolog_core import __version__
from autolog_core.cli.health import check_settings, mask
from autolog_core.cli.integrations import find_integrations
from autolog_core.cli.main import cli
from autolog_core.cli.place import Place, check_place, find_place
from autolog_core.cli.problem import Problem


def doctor(*arguments, **variables):
    runner = CliRunner(env=variables)
    return runner.invoke(cli, ["doctor", *arguments])


def place(**changes):
    fields = {
        "address": "sqlite:////x/tracking.db",
        "source": "",
        "exists": True,
        "size": 1,
        "artifact_root": "/x",
        "writable": True,
        "free": 10**12,
        "disk": "ext4",
        "revision": "0001",
        "journals": 0,
    }
    return Place(**{**fields, **changes})


def install(folder: Path, name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a package with an entry point of the doctor's group on the path."""
    (folder / f"{name}.py").write_text(source)
    info = folder / f"{name}-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[autolog.doctor]\n{name} = {name}:describe\n")
    monkeypatch.syspath_prepend(str(folder))


def test_doctor_tells_where_data_goes(template):
    result = doctor("--tracking-uri", str(template.folder))
    assert result.exit_code == 0
    assert f"autolog   {__version__}" in result.stdout
    assert f"tracking    sqlite:///{template.folder}/tracking.db" in result.stdout
    assert "chosen by   --tracking-uri" in result.stdout
    assert "schema 0001" in result.stdout
    assert "writable    yes" in result.stdout


def test_doctor_lists_our_own_integrations(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [line.split() for line in doctor().stdout.splitlines()]
    sklearn = next(line for line in lines if line[:1] == ["sklearn"])
    assert any(word.startswith(">=") for word in sklearn)


def test_doctor_makes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctor()
    assert result.exit_code == 0
    assert "none yet; the first run makes it" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_plug_in_describes_its_integrations(tmp_path, monkeypatch):
    source = """
def describe():
    return [
        dict(name="new", package="newlib", supported=">=2", installed="1.5", enabled=True),
        dict(name="gone", package="gonelib", supported=">=1", installed=None, enabled=True),
        dict(name="off", package="offlib", supported="", installed="3", enabled=False),
    ]
"""
    install(tmp_path, "plugged", source, monkeypatch)
    text = doctor(AUTOLOG_TRACKING_URI=str(tmp_path / "m")).stdout
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in text.splitlines() if line}
    assert rows["new"] == "1.5 >=2 version not supported"
    assert rows["gone"] == "no >=1 -"
    assert rows["off"] == "3 off"
    assert 'pip install "newlib>=2"' in text


def test_what_is_installed_and_not_captured_is_told(tmp_path, monkeypatch):
    source = (
        "def describe():\n    return [dict(name='a', package='a', supported='', installed='1')]"
    )
    install(tmp_path, "plugged_too", source, monkeypatch)
    info = tmp_path / "keras-9.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: keras\nVersion: 9.9\n")
    found = {item.name: item for item in find_integrations([]) or ()}
    assert (found["keras"].installed, found["keras"].exists) == ("9.9", False)
    assert found["a"].exists
    text = doctor(AUTOLOG_TRACKING_URI=str(tmp_path / "m")).stdout
    assert "not in this version" in next(line for line in text.splitlines() if "keras" in line)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise RuntimeError('boom')", "RuntimeError: boom"),
        ("def describe():\n    return [{}]", "KeyError: 'name'"),
        ("def describe():\n    return 1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_broken_plug_in_does_not_take_the_doctor_down(tmp_path, monkeypatch, source, told):
    name = f"broken{abs(hash(source))}"
    install(tmp_path, name, source, monkeypatch)
    result = doctor(AUTOLOG_TRACKING_URI=str(tmp_path / "m"))
    assert f"{name}:describe cannot say" in result.stdout
    assert told in result.stdout


def test_a_package_without_a_description_is_left_out(tmp_path, monkeypatch):
    install(tmp_path, "silent", "", monkeypatch)
    problems: list[Problem] = []
    find_integrations(problems)
    assert problems == []


def test_settings_are_shown_and_secrets_are_not(tmp_path):
    result = doctor(
        AUTOLOG_TRACKING_URI=str(tmp_path / "m"),
        AUTOLOG_EXPERIMNT_NAME="typo",
        MLFLOW_TRACKING_TOKEN="hunter2",
        MLFLOW_REGISTRY_URI="http://me:hunter2@host",
    )
    assert "hunter2" not in result.stdout
    assert "AUTOLOG_TRACKING_URI    " + str(tmp_path / "m") in result.stdout
    assert "did you mean AUTOLOG_EXPERIMENT_NAME?" in result.stdout


@pytest.mark.parametrize(
    "variables",
    [
        {"AUTOLOG_TRACKING_URI": "http://me:hunter2@host/"},
        {"AUTOLOG_FLUSH_INTERVAL": "soon"},
    ],
)
def test_a_setting_that_cannot_be_read_is_an_error(variables):
    result = doctor(**variables)
    assert result.exit_code == 1
    assert "error  " in result.stdout
    assert "hunter2" not in result.stdout


def test_a_damaged_database_is_an_error(tmp_path):
    (tmp_path / "tracking.db").write_bytes(b"no database" * 1000)
    result = doctor("--tracking-uri", str(tmp_path))
    assert result.exit_code == 1
    assert "autolog db check" in result.stdout


def test_json_has_the_same(template):
    health = json.loads(doctor("--json", "--tracking-uri", str(template.folder)).stdout)
    assert health["system"]["Python"].startswith(".".join(map(str, sys.version_info[:3])))
    assert health["place"]["exists"] is True
    assert health["place"]["size"] > 0


def test_places_that_will_make_trouble():
    assert list(check_place(place())) == []
    kinds = {
        "cannot be written": place(writable=False),
        "are left on the disk": place(free=1000),
        "network disk (nfs4)": place(disk="nfs4"),
    }
    for told, bad in kinds.items():
        assert [told in problem.message for problem in check_place(bad)] == [True]


def test_journals_and_size_are_found(seeded):
    (seeded.folder / "tracking.db.spool" / "w1").mkdir(parents=True)
    problems: list[Problem] = []
    found = find_place(str(seeded.folder), {}, problems)
    assert problems == []
    assert found is not None
    assert found.journals == 1
    assert found.size is not None


def test_known_settings_raise_no_question():
    assert list(check_settings({"AUTOLOG_RUN_ID": "a", "AUTOLOG_CAPTURE_CODE": "false"})) == []


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("MLFLOW_TRACKING_PASSWORD", "x", "***"),
        ("AUTOLOG_TRACKING_URI", "postgresql://u:p@h/db", "postgresql://***@h/db"),
        ("AUTOLOG_EXPERIMENT_NAME", "flowers", "flowers"),
    ],
)
def test_mask(name, value, shown):
    assert mask(name, value) == shown
