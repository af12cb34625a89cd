"""Opening never migrates in silence; migrating comes to the same as creating."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from autolog_core.errors import CorruptStore, NotFound, SchemaMismatch
from autolog_core.stores.contract_tools import begin, points
from autolog_core.stores.locate import open_store
from autolog_core.stores.sql.engine import Database
from autolog_core.stores.sql.maintenance import check, get_revision, migrate, upgrade
from autolog_core.stores.sql.versions import HEAD, VERSION_TABLE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tracking.db"


def make(path: Path) -> str:
    address = f"sqlite:///{path}"
    with closing(open_store(address)) as store:
        begin(store, run_id="kept")
        store.apply([points("kept", "m", [1.0, 2.0])])
    return address


def execute(path: Path, statement: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement).fetchall()


def schema(path: Path) -> dict[str, str]:
    rows = execute(path, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: "".join(sql.replace('"', "").split()) for name, sql in rows}


def test_migrations_come_to_the_schema_of_a_new_database(tmp_path: Path, path: Path) -> None:
    make(path)
    other = tmp_path / "migrated.db"
    with closing(Database(f"sqlite:///{other}", str(other))) as database:
        database.write(lambda connection: migrate(connection, database.address))
    assert schema(other) == schema(path)
    assert execute(other, f"SELECT version_num FROM {VERSION_TABLE}") == [(HEAD,)]


@pytest.mark.parametrize(
    ("revision", "remedy"), [("0000", "autolog db upgrade"), ("9999", "pip install -U")]
)
def test_another_revision_is_refused(path: Path, revision: str, remedy: str) -> None:
    address = make(path)
    execute(path, f"UPDATE {VERSION_TABLE} SET version_num = '{revision}'")
    before = path.read_bytes()
    with pytest.raises(SchemaMismatch, match=remedy):
        open_store(address)
    with pytest.raises(SchemaMismatch):
        upgrade(address)
    assert path.read_bytes() == before
    assert not check(address).ok


def test_upgrading_what_is_new_changes_nothing(path: Path) -> None:
    address = make(path)
    assert upgrade(address) == (HEAD, HEAD)
    assert get_revision(address) == HEAD


def test_upgrading_a_blank_file_makes_a_store(path: Path) -> None:
    path.touch()
    assert upgrade(f"sqlite:///{path}") == (None, HEAD)
    with closing(open_store(f"sqlite:///{path}")) as store:
        assert store.get_experiment("0").name == "Default"


def test_a_file_that_is_not_there(path: Path) -> None:
    for work in (check, upgrade, get_revision):
        with pytest.raises(NotFound, match=str(path)):
            work(f"sqlite:///{path}")
    assert not path.exists()


def test_a_check_counts_what_is_there(path: Path) -> None:
    found = check(make(path))
    assert found.ok
    assert (found.revision, found.newest, found.points) == (HEAD, HEAD, 2)
    assert (found.counts["runs"], found.counts["experiments"]) == (1, 1)
    assert found.size >= path.stat().st_size


def test_a_check_finds_damaged_and_lost_chunks(path: Path) -> None:
    address = make(path)
    execute(path, "UPDATE metric_chunks SET data = X'01000000001234'")
    assert "chunk 1" in check(address).problems[0]
    execute(path, "DELETE FROM metric_chunks")
    assert "2 points were logged" in check(address).problems[0]


def test_a_check_of_another_programs_database(path: Path) -> None:
    execute(path, "CREATE TABLE other (x INTEGER)")
    found = check(f"sqlite:///{path}")
    assert found.revision is None
    assert "another program" in found.problems[0]
    with pytest.raises(CorruptStore):
        upgrade(f"sqlite:///{path}")


def test_opening_a_store_does_not_load_alembic(path: Path) -> None:
    script = (
        "import sys\nfrom autolog_core.stores.locate import open_store\n"
        f"open_store('sqlite:///{path}').close()\nprint('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
