"""Adds up what the environments reported, and ends with one line of counts.

A test counts as one; so does each command that is no pytest run (ruff, mypy, lint-imports). An
environment that failed with no failed test or command counts as one failure.

Usage: ``summary.py <reports folder> <exit status of tox>``; exits with that status.
"""

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def main() -> int:
    """Prints a line per environment and the total; returns the exit status."""
    reports, status = Path(sys.argv[1]), int(sys.argv[2])
    passed = failed = skipped = 0
    for name, details in read_environments(reports / "tox.json"):
        if details["result"].get("skipped"):
            print(f"  {name:24} left out: its interpreter is not here")
            continue
        good, bad, left = count(reports / f"{name}.xml", details)
        passed, failed, skipped = passed + good, failed + bad, skipped + left
        print(f"  {name:24}{good:6} passed{bad:6} failed{left:6} skipped")
    if status and not failed:
        failed = 1
        print(f"  tox itself ended with status {status}")
    tail = f", {skipped} skipped" if skipped else ""
    print(f"{passed} passed, {failed} failed{tail}", flush=True)
    return status or (1 if failed or not passed else 0)


def read_environments(path: Path) -> list[tuple[str, dict]]:
    """Returns each environment that was asked for, with what tox wrote of it."""
    if not path.exists():
        return []
    found = json.loads(path.read_text())["testenvs"]
    return sorted((name, details) for name, details in found.items() if "result" in details)


def count(report: Path, details: dict) -> tuple[int, int, int]:
    """Returns how many passed, failed and were skipped in one environment."""
    passed = failed = skipped = 0
    for command in details.get("test", []):
        if "--junit-xml" in str(command["command"]):
            continue
        if command["retcode"] == 0:
            passed += 1
        else:
            failed += 1
    if report.exists():
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            left = int(suite.get("skipped", 0))
            passed += int(suite.get("tests", 0)) - bad - left
            failed, skipped = failed + bad, skipped + left
    if not details["result"].get("success") and not failed:
        failed = 1
    return passed, failed, skipped


if __name__ == "__main__":
    sys.exit(main())
