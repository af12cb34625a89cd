"""The small tools of the repository: the closing line of `make test`, the table of benchmarks."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).parents[2]


def load(path: str):
    spec = importlib.util.spec_from_file_location(Path(path).stem, TREE / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def environment(success: bool, *commands: tuple[str, int]) -> dict:
    tests = [{"command": words.split(), "retcode": status} for words, status in commands]
    return {"result": {"success": success, "skipped": False}, "test": tests}


def summary(folder: Path, environments: dict, status: int) -> subprocess.CompletedProcess[str]:
    (folder / "tox.json").write_text(json.dumps({"testenvs": environments}))
    command = [sys.executable, TREE / ".ci" / "summary.py", folder, str(status)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def suite(tests: int, failures: int, errors: int, skipped: int) -> str:
    counts = f'tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}"'
    return f"<testsuites><testsuite {counts}></testsuite></testsuites>"


def test_tests_and_commands_are_added_up(tmp_path):
    (tmp_path / "engine.xml").write_text(suite(10, 0, 0, 2))
    environments = {
        "engine": environment(True, ("pytest --junit-xml=engine.xml", 0)),
        "lint": environment(True, ("ruff check", 0), ("ruff format", 0)),
        "not asked for": {},
    }
    done = summary(tmp_path, environments, 0)
    assert done.stdout.splitlines()[-1] == "10 passed, 0 failed, 2 skipped"
    assert done.returncode == 0


def test_a_failure_anywhere_is_counted(tmp_path):
    (tmp_path / "engine.xml").write_text(suite(10, 1, 1, 0))
    environments = {
        "engine": environment(False, ("pytest --junit-xml=engine.xml", 1)),
        "lint": environment(False, ("ruff check", 1)),
        "never installed": environment(False),
    }
    done = summary(tmp_path, environments, 1)
    assert done.stdout.splitlines()[-1] == "8 passed, 4 failed"
    assert done.returncode == 1


@pytest.mark.parametrize("status", [0, 2])
def test_a_matrix_that_ran_nothing_is_no_success(tmp_path, status):
    assert summary(tmp_path, {}, status).returncode != 0


def test_a_file_is_tidied_once(tmp_path):
    path = tmp_path / "page.md"
    path.write_bytes(b"a  \nb\n\n\n")
    tidy = load(".ci/tidy.py")
    assert (tidy.main([str(path)]), path.read_bytes()) == (1, b"a\nb\n")
    assert tidy.main([str(path)]) == 0


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(TREE / "tests" / "benchmarks"))
    return load("tests/benchmarks/run.py")


def figure(name: str, **changes) -> dict:
    plain = {"figure": name, "ours": 1.0, "other": 5.0, "unit": "us", "ratio": 5.0, "runs": 3,
             "target": 2.0, "more_is_better": False, "met": True}  # fmt: skip
    return {**plain, **changes}


def test_a_new_figure_replaces_the_row_of_its_name(bench):
    page = f"above\n{bench.BEGIN}\n{bench.END}\nbelow\n"
    page = bench.updated(page, [bench.row(figure("a")), bench.row(figure("b"))])
    page = bench.updated(page, [bench.row(figure("b", ours=3.0, met=False))])
    assert page.startswith("above\n")
    assert page.endswith("\nbelow\n")
    assert "| a | 1 us | <= 2 | 5 us | 5 | 3 |" in page
    assert "| b | 3 us | <= 2 **missed** | 5 us | 5 | 3 |" in page
    assert page.count("| b |") == 1


def test_a_figure_without_target_or_rival_has_a_row(bench):
    row = bench.row(figure("c", other=None, ratio=None, target=None, met=None))
    assert row == "| c | 1 us | - | - | - | 3 |"
