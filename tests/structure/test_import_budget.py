"""What importing loads. Asserted by module names: they are exact, where times are not."""

import json
import subprocess
import sys

import pytest

# Each of these costs more than the whole of ``import autolog`` may.
HEAVY = {
    "alembic", "asyncio", "catboost", "click", "concurrent", "http", "importlib.metadata",
    "IPython", "jinja2", "keras", "lightgbm", "lightning", "logging.config", "matplotlib",
    "multiprocessing", "numpy", "packaging", "pandas", "PIL", "plotext", "polars", "psutil",
    "pyarrow", "pynvml", "rich", "safetensors", "scipy", "sklearn", "sqlalchemy", "sqlite3", "ssl",
    "subprocess", "tensorflow", "torch", "unittest", "xgboost", "yaml",
}  # fmt: skip
STANDARD = sys.stdlib_module_names


def loaded_by(code: str) -> set[str]:
    """Returns the modules that a fresh interpreter loads for ``code``, beyond its own start."""
    program = (
        "import sys, json\nbefore = set(sys.modules)\n"
        f"{code}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def within(modules: set[str], packages: set[str]) -> set[str]:
    return {name for name in modules if any(f"{name}.".startswith(f"{p}.") for p in packages)}


def foreign(modules: set[str]) -> set[str]:
    return {name.split(".")[0] for name in modules} - STANDARD - {"autolog", "autolog_core"}


@pytest.fixture(scope="module")
def imported() -> set[str]:
    return loaded_by("import autolog")


@pytest.fixture(scope="module")
def switched_on() -> set[str]:
    return loaded_by("import autolog; autolog.autolog()")


def test_import_loads_nothing_but_the_facade(imported):
    assert foreign(imported) == set()
    assert within(imported, {"autolog_core"}) == set()


def test_import_loads_nothing_heavy(imported):
    heavy = HEAVY | {"dataclasses", "inspect", "logging", "typing", "wrapt"}
    assert within(imported, heavy) == set()


def test_switching_on_loads_no_library_but_wrapt(switched_on):
    assert foreign(switched_on) <= {"wrapt"}
    assert within(switched_on, {"autolog_core.stores", "autolog_core.session"}) == set()
    # wrapt 2 imports asyncio on its own account.
    own = loaded_by("import wrapt")
    assert within(switched_on - own, HEAVY) == set()


def test_switching_on_loads_no_room(switched_on):
    assert within(switched_on, {"autolog.sklearn.patch", "autolog.sklearn.extract"}) == set()
