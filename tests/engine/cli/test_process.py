"""The command line as a process: pipes, terminals, what it imports."""

import subprocess
import sys

import pytest

from autolog_core import __version__
from autolog_core.cli.lazy import LazyGroup
from autolog_core.cli.main import cli

COMMAND = [sys.executable, "-m", "autolog_core.cli"]
HEAVY = ("sqlalchemy", "numpy", "pandas", "rich", "alembic", "psutil", "autolog")


def process(*arguments, **options):
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, **options
    )


def groups(group, path=("autolog",)):
    yield path, group
    context = None
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, LazyGroup):
            yield from groups(command, (*path, name))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["runs", "--help"], ["runs", "x"]]
)
def test_help_imports_nothing_heavy(arguments):
    program = (
        "import sys\n"
        "from autolog_core.cli.main import main\n"
        f"sys.argv = ['autolog', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert result.stderr.splitlines()[-1] == "[]"


def test_the_engine_does_not_import_the_facade(template):
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\n"
            "from autolog_core.cli.main import cli\n"
            f"cli(['--tracking-uri', {str(template.folder)!r}, 'runs', 'show'], "
            "standalone_mode=False)\n"
            "assert 'autolog' not in sys.modules and 'sklearn' not in sys.modules",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_help_of_a_group_has_the_words_of_its_commands():
    for path, group in groups(cli):
        for name, entry in group.entries.items():
            command = group.get_command(None, name)
            assert command is not None, (path, name)
            assert command.help, (path, name)
            assert len(entry.help) < 60


def test_version():
    assert process("--version").stdout == f"autolog {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["rns"], "did you mean runs?"),
        (["runs", "lst"], "did you mean list?"),
        (["runs", "list", "--bogus"], "No such option"),
        (["runs", "list", "-n", "0"], "x>=1"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments, told):
    result = process(*arguments)
    assert result.returncode == 2
    assert told in result.stderr


@pytest.mark.parametrize(
    "arguments", [["runs", "export", "--history"], ["runs", "list"], ["runs", "show", "red"]]
)
def test_a_reader_that_leaves_early_is_no_error_to_see(template, arguments):
    command = [*COMMAND, "--tracking-uri", str(template.folder), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        writer.stdout.read(1)
        writer.stdout.close()
        assert writer.stderr.read() == b""


def test_a_pipe_without_a_reader_is_no_error_to_see(template):
    command = [*COMMAND, "--tracking-uri", str(template.folder), "runs", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        writer.stdout.close()
        assert b"Traceback" not in writer.stderr.read()


def test_a_stream_of_ascii_gets_escapes(template):
    result = process(
        "--tracking-uri",
        str(template.folder),
        "experiments",
        "list",
        env={"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin"},
    )
    assert result.returncode == 0, result.stderr
    assert "\\xdcbersetzung \\u6a21" in result.stdout


def test_a_pipe_gets_no_colours_and_a_terminal_does(template, on_terminal):
    piped = process("--tracking-uri", str(template.folder), "runs", "list")
    assert "\x1b" not in piped.stdout
    assert "\x1b[32mfinished" in on_terminal("runs", "list", colour=True)
    assert "\x1b[32m" not in on_terminal("runs", "list", "--no-color", colour=True)
    assert "\x1b[32m" not in on_terminal("runs", "list", colour=True, NO_COLOR="1")


@pytest.mark.parametrize("width", [40, 80, 140])
@pytest.mark.parametrize(
    "arguments",
    [["runs", "list"], ["runs", "compare", "red", "green", "blue"], ["experiments", "list"]],
)
def test_tables_fit_the_terminal(on_terminal, width, arguments):
    shown = on_terminal(*arguments, width=width)
    rows = [line for line in shown.splitlines() if not line.startswith("no room for")]
    # Wide characters take two cells each.
    assert all(len(row) <= width for row in rows), shown
    assert "red" in shown or arguments[0] == "experiments"


def test_a_wide_terminal_shows_curves_side_by_side(on_terminal):
    wide = on_terminal("runs", "show", "red", width=140)
    narrow = on_terminal("runs", "show", "red", width=80)
    assert any("val_loss" in line and "gone" in line for line in wide.splitlines())
    assert not any("val_loss" in line and "gone" in line for line in narrow.splitlines())


def test_a_terminal_gets_long_values_cut_and_all_of_them_on_demand(on_terminal):
    assert "xxx…xxx" in on_terminal("runs", "show", "red")
    assert "x" * 300 in on_terminal("runs", "show", "red", "--all")


def test_ids_of_a_list_are_short_on_a_terminal(on_terminal, template):
    shown = on_terminal("runs", "list")
    assert template.runs["red"][:8] in shown
    assert template.runs["red"] not in shown


def test_a_name_cannot_steer_the_terminal(on_terminal):
    shown = on_terminal("runs", "list", colour=True)
    assert "\x1b[31m模" not in shown
    assert "\ufffd[31m模" in shown


def test_completion_scripts_are_made():
    result = process(env={"_AUTOLOG_COMPLETE": "bash_source", "PATH": "/usr/bin"})
    assert "_AUTOLOG_COMPLETE=bash_complete" in result.stdout
