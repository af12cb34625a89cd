from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from autolog_core.stores.base import Store
from autolog_core.stores.contract import StoreContract
from autolog_core.stores.locate import open_store


class TestSqlite(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        with closing(open_store(f"sqlite:///{tmp_path}/mlruns/tracking.db")) as store:
            yield store
