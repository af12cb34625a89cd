"""Runs the benchmark scripts and writes their table into README.md beside it.

Usage: ``python tests/benchmarks/run.py [--write] [name ...]``, where a name is ``import`` for
``bench_import.py``. Without names every script runs. With ``--write`` the table of
``tests/benchmarks/README.md`` is brought up to date: rows measured now replace those of the same
figure, the others stay.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from _measure import number

HERE = Path(__file__).parent
PAGE = HERE / "README.md"
BEGIN, END = "<!-- table: written by run.py -->", "<!-- end of table -->"
HEAD = (
    "| figure | autolog | target | MLflow | times better | runs |",
    "|---|---:|---:|---:|---:|---:|",
)


def main() -> int:
    """Runs what was asked for; returns 1 if a script failed or a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="benchmarks to run; by default all")
    parser.add_argument("--write", action="store_true", help="update the table in README.md")
    asked = parser.parse_args()
    scripts = chosen(asked.names)
    figures: list[dict] = []
    broken: list[str] = []
    for script in scripts:
        print(f"--- {script.stem.removeprefix('bench_')}", flush=True)
        found, status = measure(script)
        figures += found
        if status != 0:
            broken.append(script.name)
    rows = [row(figure) for figure in figures]
    print("\n".join(("", machine(), "", *HEAD, *rows)))
    if asked.write:
        PAGE.write_text(updated(PAGE.read_text(), rows))
        print(f"\nwritten to {PAGE}")
    missed = [figure["figure"] for figure in figures if figure["met"] is False]
    for name in missed:
        print(f"target missed: {name}")
    for name in broken:
        print(f"failed: {name}")
    return 1 if missed or broken else 0


def chosen(names: list[str]) -> list[Path]:
    """Returns the scripts of these names, all of them for none."""
    if not names:
        return sorted(HERE.glob("bench_*.py"))
    scripts = [
        HERE / f"bench_{name.removeprefix('bench_').removesuffix('.py')}.py" for name in names
    ]
    for script in scripts:
        if not script.exists():
            known = ", ".join(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
            raise SystemExit(f"there is no {script.name}; there are: {known}")
    return scripts


def measure(script: Path) -> tuple[list[dict], int]:
    """Returns the figures that a script printed, and its exit status."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    figures = []
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith('{"figure"'):
                figures.append(json.loads(line))
            else:
                print(line, end="", flush=True)
    return figures, process.returncode


def row(figure: dict) -> str:
    """Returns the table's row of one figure."""
    unit = figure["unit"]
    target = "-"
    if figure["target"] is not None:
        sign = ">=" if figure["more_is_better"] else "<="
        verdict = "" if figure["met"] else " **missed**"
        target = f"{sign} {number(figure['target'])}{verdict}"
    other = "-" if figure["other"] is None else f"{number(figure['other'])} {unit}"
    ratio = "-" if figure["ratio"] is None else number(figure["ratio"])
    cells = (figure["figure"], f"{number(figure['ours'])} {unit}", target, other, ratio)
    return f"| {' | '.join(cells)} | {figure['runs']} |"


def updated(page: str, rows: Iterable[str]) -> str:
    """Returns ``page`` with its table brought up to date by ``rows``."""
    before, rest = page.split(BEGIN)
    old, after = rest.split(END)
    kept = {name_of(line): line for line in old.splitlines() if is_row(line)}
    kept.update({name_of(line): line for line in rows})
    table = "\n".join((BEGIN, machine(), "", *HEAD, *kept.values(), END))
    return f"{before}{table}{after}"


def is_row(line: str) -> bool:
    """Returns whether a line of the page is a row of figures."""
    return line.startswith("| ") and line not in HEAD


def name_of(line: str) -> str:
    """Returns the first cell of a row."""
    return line.split("|")[1].strip()


def machine() -> str:
    """Returns one line on where the figures were taken."""
    parts = [f"{os.cpu_count()} cores", platform.platform(), f"Python {platform.python_version()}"]
    for package in ("autolog-ml", "mlflow", "scikit-learn"):
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return f"Medians on {', '.join(parts)}."


if __name__ == "__main__":
    sys.exit(main())
