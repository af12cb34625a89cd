"""The report of one training: what was captured, what was not and why, and what that cost."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autolog.instrument.faults import Fault

REPORT = "autolog_report.json"


class Report:
    """Collects what the report says.

    Args:
        integration: Who captures, such as "sklearn".
        site: The watched call, such as "Ridge.fit".
        started: `time.perf_counter` when the call came in.

    Attributes:
        errors: Errors of ours, each with the part of the capture that it was in.
    """

    def __init__(self, integration: str, site: str, started: float) -> None:
        self._integration = integration
        self._site = site
        self.errors: list[dict[str, str]] = []
        self._captured: dict[str, int] = {}
        self._skipped: list[dict[str, str]] = []
        self._spent: dict[str, float] = {}
        self._began = started
        self._before = self._after = self._call = 0.0
        self._called: float | None = None

    def count(self, what: str, number: int) -> None:
        """Counts what was captured."""
        if number:
            self._captured[what] = self._captured.get(what, 0) + number

    def skip(self, what: str, why: str, *, once: bool = False) -> None:
        """Notes what was not captured; with `once` not again if it is there."""
        if not once or all(each["what"] != what for each in self._skipped):
            self._skipped.append({"what": what, "why": why})

    def fault(self, fault: Fault) -> None:
        """Notes an error of ours."""
        last = fault.text.strip().rpartition("\n")[2]
        self.errors.append({"what": fault.phase, "error": last})
        self.skip(fault.phase, "an error of autolog; see errors")

    def spend(self, part: str, seconds: float) -> None:
        """Adds the time that a part of the capture took."""
        self._spent[part] = self._spent.get(part, 0.0) + seconds

    def pause(self) -> None:
        """Takes the time when our part before the call is over."""
        now = perf_counter()
        self._before = now - self._began
        self._called = now

    def resume(self) -> None:
        """Takes the time when the call is over."""
        now = perf_counter()
        if self._called is not None:
            self._call = now - self._called
        self._began = now

    def close(self) -> None:
        """Takes the time when our part after the call is over."""
        self._after = perf_counter() - self._began if self._called is not None else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Returns what the report's file holds."""
        return {
            "integration": self._integration,
            "call": self._site,
            "captured": self._captured,
            "skipped": self._skipped,
            "errors": self.errors,
            "call_ms": _milliseconds(self._call),
            "cost_ms": {
                "before the call": _milliseconds(self._before),
                "after the call": _milliseconds(self._after),
                "parts": {name: _milliseconds(spent) for name, spent in self._spent.items()},
            },
        }


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1e3, 3)
