"""Files that are written while the caller waits, and moved to their place later."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path


class Draft:
    """A temporary folder that goes when nothing needs it any more.

    Attributes:
        folder: Where it is.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="autolog-model-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def move(self, target: Path) -> None:
        """Moves all that is in it into `target`, a folder that may exist."""
        target.mkdir(parents=True, exist_ok=True)
        for each in self.folder.iterdir():
            shutil.move(each, target / each.name)
