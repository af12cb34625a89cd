"""Each integration has the same furniture."""

import ast
from pathlib import Path

import pytest

import autolog

SPECS = sorted(Path(autolog.__file__).parent.glob("*/spec.py"))
ROOMS = [path.parent for path in SPECS if path.parent.name != "instrument"]
FURNITURE = ("__init__.py", "spec.py", "patch.py", "extract.py")


def test_there_are_rooms():
    assert ROOMS


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_is_furnished(room):
    assert [name for name in FURNITURE if not (room / name).exists()] == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_documents_itself(room):
    page = ast.get_docstring(ast.parse((room / "__init__.py").read_text()))
    assert page
    assert len(page.splitlines()) > 5
