"""What a user installs: two packages, and all that they need inside."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="the wheel is built where hatchling is installed")

TREE = Path(__file__).parents[2]


def build(source: Path, target: str, into: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return next(into.iterdir())


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory) -> list[str]:
    wheel = build(TREE, "wheel", tmp_path_factory.mktemp("wheel"))
    return zipfile.ZipFile(wheel).namelist()


def test_the_wheel_has_two_packages_and_nothing_else(wheel_names):
    tops = {name.split("/")[0] for name in wheel_names}
    metadata = {top for top in tops if top.endswith(".dist-info")}
    assert tops - metadata == {"autolog", "autolog_core"}
    assert len(metadata) == 1


@pytest.mark.parametrize(
    "needed",
    [
        "autolog/__init__.py",
        "autolog/py.typed",
        "autolog_core/py.typed",
        "autolog_core/stores/sql/migrations/env.py",
    ],
)
def test_the_wheel_holds(wheel_names, needed):
    assert needed in wheel_names


def test_the_wheel_holds_every_migration(wheel_names):
    versions = "autolog_core/stores/sql/migrations/versions"
    written = {path.name for path in (TREE / "core" / versions).glob("*.py")}
    assert written
    assert written <= {name.rsplit("/", 1)[1] for name in wheel_names if versions in name}


def test_the_wheel_holds_the_license(wheel_names):
    assert any(name.endswith("licenses/LICENSE") for name in wheel_names)


def test_a_wheel_built_from_the_source_archive_is_the_same(wheel_names, tmp_path):
    archive = build(TREE, "sdist", tmp_path / "archive")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    (unpacked,) = (path for path in tmp_path.iterdir() if path.name != "archive")
    wheel = build(unpacked, "wheel", tmp_path / "wheel")
    assert sorted(zipfile.ZipFile(wheel).namelist()) == sorted(wheel_names)
