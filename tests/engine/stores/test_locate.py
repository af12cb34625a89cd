from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from autolog_core.address import resolve_address
from autolog_core.errors import InvalidArgument
from autolog_core.stores.locate import open_store


def test_the_default_is_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_address(None) == f"sqlite:///{tmp_path}/mlruns/tracking.db"
    with closing(open_store()) as store:
        assert store.address == resolve_address(None)
        assert store.artifact_root == f"{tmp_path}/mlruns"
        assert store.get_experiment("0").artifact_location == f"{tmp_path}/mlruns/0"
    assert (tmp_path / "mlruns" / "tracking.db").exists()


def test_relative_paths_are_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_address("sqlite:///a/../b c/ü.db") == f"sqlite:///{tmp_path}/b c/ü.db"
    with closing(open_store("sqlite:///b c/ü %41.db")) as store:
        monkeypatch.chdir("/")
        assert store.get_experiment("0").name == "Default"
    assert (tmp_path / "b c" / "ü %41.db").exists()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "postgresql://localhost/x",
        "http://localhost:5000",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:////tmp/",
        "sqlite:///a.db?mode=ro",
        "sqlite:///a#b.db",
        5,
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(InvalidArgument, match=r"sqlite:///|'\?' or '#'"):
        open_store(address)
