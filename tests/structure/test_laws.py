"""Each law of the house holds, and each bites: a copy of the tree that breaks it is refused."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("importlinter", reason="the laws are checked where import-linter is installed")

TREE = Path(__file__).parents[2]


class Offence(NamedTuple):
    contract: str
    file: str
    line: str
    named: str


OFFENCES = [
    Offence(
        "engine-below-facade",
        "core/autolog_core/limits.py",
        "import autolog",
        "autolog_core is not allowed to import autolog",
    ),
    Offence(
        "engine-layers",
        "core/autolog_core/errors.py",
        "from autolog_core import limits",
        "autolog_core.errors -> autolog_core.limits",
    ),
    Offence(
        "engine-layers",
        "core/autolog_core/entities/run.py",
        "def late():\n    import autolog_core.stores.base",
        "autolog_core.entities.run -> autolog_core.stores.base",
    ),
    Offence(
        "engine-layers",
        "core/autolog_core/newcomer.py",
        '"""A module that nobody gave a place."""',
        "newcomer",
    ),
    Offence(
        "stores-layers",
        "core/autolog_core/stores/base.py",
        "from autolog_core.stores.sql import schema",
        "autolog_core.stores.base -> autolog_core.stores.sql.schema",
    ),
    Offence(
        "rooms",
        "autolog/autolog/sklearn/patch.py",
        "import autolog_core.stores.base",
        "autolog.sklearn.patch is not allowed to import autolog_core.stores.base",
    ),
    Offence(
        "rooms",
        "autolog/autolog/newlib/patch.py",
        "from autolog.sklearn import spec",
        "autolog.newlib.patch is not allowed to import autolog.sklearn.spec",
    ),
    Offence(
        "rooms",
        "autolog/autolog/pytorch/flavor.py",
        "from autolog.sklearn import flavor as other",
        "autolog.pytorch.flavor is not allowed to import autolog.sklearn.flavor",
    ),
    Offence(
        "frameworks",
        "core/autolog_core/limits.py",
        "import torch",
        "autolog_core.limits -> torch",
    ),
    Offence(
        "frameworks",
        "autolog/autolog/instrument/__init__.py",
        "def late():\n    from sklearn.base import BaseEstimator",
        "autolog.instrument -> sklearn",
    ),
    Offence(
        "frameworks",
        "autolog/autolog/sklearn/extract.py",
        "import xgboost",
        "autolog.sklearn.extract -> xgboost",
    ),
    Offence(
        "sql",
        "core/autolog_core/stores/base.py",
        "from sqlalchemy import select",
        "autolog_core.stores.base -> sqlalchemy",
    ),
    Offence(
        "sql",
        "autolog/autolog/__init__.py",
        "import alembic",
        "autolog -> alembic",
    ),
    Offence(
        "web",
        "core/autolog_core/config.py",
        "import starlette",
        "autolog_core.config -> starlette",
    ),
    Offence(
        "wrapt",
        "autolog/autolog/sklearn/patch.py",
        "import wrapt",
        "autolog.sklearn.patch -> wrapt",
    ),
]


@pytest.fixture
def copied_tree(tmp_path):
    for root in ("core", "autolog"):
        shutil.copytree(
            TREE / root, tmp_path / root, ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    shutil.copytree(TREE / "tests/structure", tmp_path / "tests/structure")
    shutil.copy(TREE / "pyproject.toml", tmp_path)
    # A second room, so that rooms have someone not to speak to.
    room = tmp_path / "autolog/autolog/newlib"
    room.mkdir()
    (room / "__init__.py").touch()
    (room / "spec.py").touch()
    return tmp_path


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    roots = os.pathsep.join((str(tree / "core"), str(tree / "autolog")))
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(
        command,
        cwd=tree,
        env={**os.environ, "PYTHONPATH": roots, "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def contract_names() -> dict[str, str]:
    config = tomllib.loads((TREE / "pyproject.toml").read_text())
    return {each["id"]: each["name"] for each in config["tool"]["importlinter"]["contracts"]}


def test_the_tree_keeps_every_law():
    checked = lint(TREE)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(contract_names())} kept, 0 broken" in checked.stdout


def test_a_tree_with_one_more_room_keeps_every_law(copied_tree):
    checked = lint(copied_tree)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_law_is_broken_on_purpose():
    assert {offence.contract for offence in OFFENCES} == set(contract_names())


@pytest.mark.parametrize("offence", OFFENCES, ids=lambda each: f"{each.contract}: {each.file}")
def test_breaking_a_law_is_refused(copied_tree, offence):
    path = copied_tree / offence.file
    text = path.read_text() if path.exists() else ""
    path.write_text(f"{text}\n{offence.line}\n")
    checked = lint(copied_tree)
    assert checked.returncode != 0, checked.stdout
    assert f"{contract_names()[offence.contract]} BROKEN" in checked.stdout
    assert offence.named in " ".join(checked.stdout.split())
