"""What was started, as real processes see it, and arguments without their secrets."""

import json
import subprocess
import sys
import textwrap
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolog_core.capture.source import MASK, is_secret_name, mask_arguments, read_source

TELL = textwrap.dedent(
    """
    import dataclasses, json
    from autolog_core.capture.source import read_source
    print(json.dumps(dataclasses.asdict(read_source())))
    """
)


def started(folder, *command, text=None):
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_script(tmp_path):
    (tmp_path / "train.py").write_text(TELL)
    found = started(tmp_path, "train.py", "--lr", "0.1", "--token=abc")
    assert found == {
        "name": "train.py",
        "type": "LOCAL",
        "kind": "script",
        "arguments": ["--lr", "0.1", f"--token={MASK}"],
        "folder": str(tmp_path),
        "file": str(tmp_path / "train.py"),
    }


def test_a_module(tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    for name, shown in (("train", "package.train"), ("__main__", "package")):
        (tmp_path / "package" / f"{name}.py").write_text(TELL)
        found = started(tmp_path, "-m", shown, "x")
        assert (found["name"], found["kind"]) == (f"-m {shown}", "module")
        assert found["file"] == str(tmp_path / "package" / f"{name}.py")
        assert found["arguments"] == ["x"]


def test_a_command_and_standard_input(tmp_path):
    found = started(tmp_path, "-c", TELL, "x")
    assert (found["name"], found["kind"], found["arguments"]) == ("<command>", "command", ["x"])
    found = started(tmp_path, "-", "x", text=TELL)
    assert (found["name"], found["kind"], found["arguments"]) == ("<stdin>", "interactive", ["x"])
    found = started(tmp_path, text=TELL)
    assert (found["name"], found["kind"]) == ("<console>", "interactive")


def test_a_folder_that_is_gone(tmp_path):
    program = f"import os, sys\nos.rmdir(os.getcwd())\n{TELL}"
    (tmp_path / "gone").mkdir()
    assert started(tmp_path / "gone", "-c", program)["folder"] == ""


def shell(name, **namespace):
    kind = type(name, (), {"user_ns": namespace})
    module = ModuleType("IPython")
    module.get_ipython = kind
    return {"IPython": module}


def test_a_notebook(tmp_path):
    book = tmp_path / "book.ipynb"
    book.write_text("{}")
    source = read_source(["ipykernel_launcher.py", "-f", "x"], shell("ZMQInteractiveShell"))
    assert (source.name, source.type, source.arguments) == ("<notebook>", "NOTEBOOK", ())
    source = read_source(["x"], shell("ZMQInteractiveShell"), notebook=str(book))
    assert (source.name, source.type, source.file) == (str(book), "NOTEBOOK", str(book))
    source = read_source(["x"], shell("ZMQInteractiveShell", __vsc_ipynb_file__=str(book)))
    assert source.file == str(book)


def test_consoles_and_scripts_that_only_import_ipython():
    source = read_source(["/bin/ipython"], shell("TerminalInteractiveShell"))
    assert (source.name, source.kind, source.type) == ("<console>", "interactive", "LOCAL")
    module = SimpleNamespace(get_ipython=lambda: None)
    assert read_source(["train.py"], {"IPython": module}).kind == "script"
    assert read_source([], {}).kind == "interactive"


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--password", "x", "--lr", "1"], ["--password", MASK, "--lr", "1"]),
        (["--api-key=x"], [f"--api-key={MASK}"]),
        (["--apikey", "x"], ["--apikey", MASK]),
        (["--awsSecretAccessKey", "x"], ["--awsSecretAccessKey", MASK]),
        (["--HF_TOKEN=x=y"], [f"--HF_TOKEN={MASK}"]),
        (["db.password=x", "model.depth=3"], [f"db.password={MASK}", "model.depth=3"]),
        (["+hub.token=x"], [f"+hub.token={MASK}"]),
        (["-password", "-starts-with-dash"], ["-password", MASK]),
        (["--use-token", "--lr", "1"], ["--use-token", "--lr", "1"]),
        (["--token"], ["--token"]),
        (["postgresql://me:x@host/db"], [f"postgresql://{MASK}@host/db"]),
        (["--uri=https://x@host/p?a=1"], [f"--uri=https://{MASK}@host/p?a=1"]),
        (["hf_" + "a1B2" * 8], [MASK]),
        (["load ghp_" + "a1B2" * 9 + " now"], [f"load {MASK} now"]),
        (["--max-tokens", "512"], ["--max-tokens", "512"]),
        (["--tokenizer=gpt2", "--monkey=1"], ["--tokenizer=gpt2", "--monkey=1"]),
        (["s3://bucket/keys", "a=b", "x:y"], ["s3://bucket/keys", "a=b", "x:y"]),
        (["--secretary", "x"], ["--secretary", MASK]),
    ],
)
def test_values_of_secrets_are_hidden(arguments, shown):
    assert list(mask_arguments(arguments)) == shown


@given(
    st.sampled_from(["password", "token", "secret", "api_key", "db-passwd", "ACCESS_TOKEN"]),
    st.sampled_from(["--{}={}", "--{} {}", "-{} {}", "{}={}", "a.{}={}"]),
    st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=12, max_size=40),
)
def test_no_secret_is_shown(name, form, secret):
    arguments = form.format(name, secret).split(" ")
    assert secret not in " ".join(mask_arguments(["x", *arguments, "y"]))


@given(st.lists(st.text(max_size=20), max_size=8))
def test_any_arguments_can_be_shown(arguments):
    shown = mask_arguments(arguments)
    assert len(shown) == len(arguments)
    " ".join(shown).encode()
    assert "\0" not in "".join(shown)


def test_many_and_long_arguments_are_bounded_and_say_so():
    shown = mask_arguments(["x" * 100_000] * 2000)
    assert len(shown) == 501
    assert shown[-1] == "... [2000 arguments in all]"
    assert shown[0].endswith("... [100000 characters in all]")
    assert len(shown[0]) == 2000


def test_names_of_secrets():
    assert is_secret_name("--dbPassword")
    assert is_secret_name("KEY")
    assert not is_secret_name("keyboard")
    assert not is_secret_name("--compass")
