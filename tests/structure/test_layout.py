"""The shape of the tree: where packages are, how long a file may be, who reads the environment."""

import ast
import re
from pathlib import Path

import pytest

import autolog
import autolog_core

TREE = Path(__file__).parents[2]
ROOTS = (TREE / "core" / "autolog_core", TREE / "autolog" / "autolog")
SOURCES = sorted(path for root in ROOTS for path in root.rglob("*.py"))
LONGEST = 450


def name(path: Path) -> str:
    return str(path.relative_to(TREE))


@pytest.mark.parametrize("root", ["core", "autolog"])
def test_a_source_root_is_no_package(root):
    # One stray file here replaces the installed package for whoever works in the repository.
    assert not (TREE / root / "__init__.py").exists()


@pytest.mark.parametrize("package", [autolog, autolog_core])
def test_the_packages_are_installed(package):
    # The folders `autolog/` and `core/` answer as empty namespace packages where nothing is.
    assert package.__file__ is not None, "run `pip install -e .` first"


def test_both_packages_are_marked_as_typed():
    assert [root.name for root in ROOTS if not (root / "py.typed").exists()] == []


def test_tests_are_in_no_package():
    # With importlib mode a package among the tests could shadow the one under test.
    assert [name(path) for path in (TREE / "tests").rglob("__init__.py")] == []


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_is_short(path):
    assert len(path.read_text().splitlines()) <= LONGEST


def reads_environment(tree: ast.AST) -> bool:
    names = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    return any(
        (isinstance(node, ast.Attribute) and node.attr in names)
        or (isinstance(node, ast.ImportFrom) and any(each.name in names for each in node.names))
        for node in ast.walk(tree)
    )


def test_only_config_reads_the_environment():
    readers = [name(path) for path in SOURCES if reads_environment(ast.parse(path.read_text()))]
    assert readers == ["core/autolog_core/config.py"]


@pytest.mark.parametrize("text", ["import os\nos.environ['A']", "from os import getenv"])
def test_a_reader_of_the_environment_is_seen(text):
    assert reads_environment(ast.parse(text))


def test_every_page_is_linked_from_the_index():
    linked = set(re.findall(r"\]\(([\w/.-]+\.md)", (TREE / "docs" / "index.md").read_text()))
    pages = {str(path.relative_to(TREE / "docs")) for path in (TREE / "docs").rglob("*.md")}
    assert linked >= pages - {"index.md"}


def pages() -> list[Path]:
    return [TREE / "README.md", TREE / "CONTRIBUTING.md", *(TREE / "docs").rglob("*.md")]


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_and_pictures_of_a_page_are_there(page):
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    targets += re.findall(r"(?:src|srcset)=\"([^\"]+)\"", page.read_text())
    inside = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in inside if not (page.parent / target).exists()] == []
