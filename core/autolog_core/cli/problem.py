"""What `autolog doctor` finds wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong or may go wrong, with what to do."""

    severity: Literal["error", "warning"]
    message: str
    remedy: str
