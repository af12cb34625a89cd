"""``import autolog``: every public name, from where, and that none hides another."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import autolog

SOURCE = Path(autolog.__file__)


def names_for_type_checkers() -> dict[str, str]:
    """Returns name -> module of the imports under ``if TYPE_CHECKING``."""
    tree = ast.parse(SOURCE.read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_type_checkers_see_what_the_table_serves():
    served = dict(autolog._HOMES) | dict.fromkeys(autolog._MODULES, "autolog")
    assert names_for_type_checkers() == served


@pytest.mark.parametrize("name", sorted(autolog.__all__))
def test_name_resolves_to_what_its_module_holds(name):
    home = autolog._HOMES.get(name)
    expected = (
        importlib.import_module(f"autolog.{name}")
        if home is None
        else getattr(importlib.import_module(home), name)
    )
    assert getattr(autolog, name) is expected
    assert vars(autolog)[name] is expected


def test_no_module_has_the_name_of_a_function():
    # Importing such a module would put it in the function's place.
    modules = {module.name for module in pkgutil.iter_modules(autolog.__path__)}
    assert modules & set(autolog._HOMES) == set()


def test_dir_lists_every_name():
    assert set(autolog.__all__) <= set(dir(autolog))


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'log_metrix'"):
        autolog.log_metrix  # noqa: B018
    assert not hasattr(autolog, "register_model")


def test_star_import_and_submodule_import():
    program = (
        "from autolog import *\n"
        "import autolog.tracking, autolog.entities, autolog.exceptions\n"
        "from autolog.tracking import MlflowClient as A\n"
        "from autolog.entities import ViewType, RunStatus, Metric, Param, RunTag\n"
        "from autolog.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID\n"
        "assert A is MlflowClient is autolog.tracking.MlflowClient is autolog.client.MlflowClient\n"
        "assert exceptions.MlflowException is MlflowException is AutologError\n"
        "log_metric, start_run, Image, search_runs\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_setting_the_address_opens_nothing(tmp_path):
    program = (
        "import autolog, sys\n"
        "autolog.set_tracking_uri('store')\n"
        "print(autolog.get_tracking_uri())\n"
        "assert 'sqlalchemy' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == f"sqlite:///{tmp_path}/store/tracking.db"
    assert list(tmp_path.iterdir()) == []
