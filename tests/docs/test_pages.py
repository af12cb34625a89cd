"""The pages tell the truth: their Python blocks and their commands are run.

The ``python`` blocks of a page run in order in one fresh interpreter, in an empty folder. The lines
``$ autolog ...`` of its ``console`` blocks run after them, in order, in the same folder.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).parents[2]
EXAMPLES = sorted((TREE / "examples").glob("*.py"))
PAGES = [TREE / "README.md", *sorted((TREE / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Compiled under the page's name and with its line numbers, so that a traceback points there.
PROGRAM = """
import json, sys
namespace = {"__name__": "__main__"}
page, blocks = json.load(sys.stdin)
for line, source in blocks:
    exec(compile("\\n" * line + source, page, "exec"), namespace)
"""


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """Returns the blocks of one language: how many lines are above each, and its text."""
    text = page.read_text()
    return [
        (text.count("\n", 0, found.start(2)), found.group(2))
        for found in BLOCK.finditer(text)
        if found.group(1) == language
    ]


def commands(page: Path) -> list[list[str]]:
    lines = [line for _, block in blocks(page, "console") for line in block.splitlines()]
    split = [shlex.split(line[2:], comments=True) for line in lines if line.startswith("$ ")]
    return [command for command in split if command[0] == "autolog"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TREE)))
def test_what_the_page_shows_runs(page, tmp_path):
    env = {name: value for name, value in os.environ.items() if "TRACKING_URI" not in name}
    program = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps((str(page), blocks(page, "python"))),
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert program.returncode == 0, program.stderr
    for command in commands(page):
        program = subprocess.run(
            [str(Path(sys.executable).with_name("autolog")), *command[1:]],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert program.returncode == 0, f"{shlex.join(command)}\n{program.stderr}{program.stdout}"


def test_a_block_that_fails_is_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("text\n\n```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md\", line 8"):
        test_what_the_page_shows_runs(page, tmp_path)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_runs(example, tmp_path):
    env = {name: value for name, value in os.environ.items() if "TRACKING_URI" not in name}
    program = subprocess.run(
        [sys.executable, str(example)],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert program.returncode == 0, program.stderr
    assert program.stdout
    assert (tmp_path / "mlruns" / "tracking.db").exists()
