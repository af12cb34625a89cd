"""The wheel and its own dependencies are enough: every public name is there without an extra."""

import subprocess
import sys

import pytest

OPTIONAL = [
    "IPython", "PIL", "catboost", "git", "jax", "keras", "lightgbm", "lightning", "matplotlib",
    "mlflow", "plotly", "polars", "pyarrow", "pynvml", "pyspark", "pytorch_lightning", "sklearn",
    "tensorflow", "torch", "transformers", "xgboost",
]  # fmt: skip

# Where the optional libraries are installed, they are hidden; the bare environment has none.
PROGRAM = f"""
import sys
for name in {OPTIONAL!r}:
    sys.modules[name] = None
import warnings
warnings.simplefilter("error")
"""


def run(code: str, folder) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROGRAM + code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_public_name_is_there(tmp_path):
    code = "import autolog\nfor name in autolog.__all__: getattr(autolog, name)\nprint('done')"
    assert run(code, tmp_path) == "done\n"


def test_dir_lists_every_public_name(tmp_path):
    assert run("import autolog\nprint(set(autolog.__all__) <= set(dir(autolog)))", tmp_path) == (
        "True\n"
    )


def test_an_unknown_name_is_refused(tmp_path):
    code = "import autolog\ntry: autolog.no_such_name\nexcept AttributeError as e: print(e)"
    assert "no_such_name" in run(code, tmp_path)


def test_a_run_is_logged_and_found(tmp_path):
    code = """
import autolog
autolog.autolog()
with autolog.start_run():
    autolog.log_param("depth", 3)
    autolog.log_metric("loss", 0.5)
print(autolog.search_runs(output_format="list")[0].data.metrics)
"""
    assert run(code, tmp_path) == "{'loss': 0.5}\n"
    assert (tmp_path / "mlruns" / "tracking.db").exists()


def test_every_command_of_the_command_line_is_there(tmp_path):
    code = """
import click
from autolog_core.cli.main import cli
def walk(command, context):
    command.get_help(context)
    found = [context.command_path]
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        part = command.get_command(context, name)
        found += walk(part, click.Context(part, parent=context, info_name=name))
    return found
print("\\n".join(walk(cli, click.Context(cli, info_name="autolog"))))
"""
    commands = run(code, tmp_path).splitlines()
    assert {"autolog runs show", "autolog experiments list", "autolog doctor"} <= set(commands)


@pytest.mark.parametrize("arguments", [["--version"], ["doctor"]])
def test_the_command_line_runs(tmp_path, arguments):
    code = f"""
from autolog_core.cli.main import main
sys.argv = ["autolog", *{arguments!r}]
main()
"""
    assert run(code, tmp_path)
