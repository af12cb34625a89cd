"""Import hooks: our code loads when the user's library does.

wrapt calls a hook when its module has been imported, or at once if it was imported before. A hook
that raises would make the user's import fail, and one that is registered while its module is being
imported would see half of it: both are dealt with here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

import wrapt

from autolog.instrument import faults

Hook = Callable[[ModuleType], None]

_hooks: dict[str, Hook] = {}
_armed: set[str] = set()
_waiting: set[str] = set()


def register(name: str, hook: Hook) -> None:
    """Calls `hook` with the module `name`, now or when it is imported.

    A later hook for the same module replaces the earlier one. If the module is being imported right
    now, the hook waits for `retry`. Callers take turns: `control` holds its lock.
    """
    module = sys.modules.get(name)
    _hooks[name] = hook
    if module is None and name not in _armed:
        _armed.add(name)
        wrapt.register_post_import_hook(_imported, name)
    if module is None:
        return
    if _half_imported(module):
        _waiting.add(name)
    else:
        _run(name, module)


def retry() -> None:
    """Runs the hooks whose module was half imported when they were registered, if it is whole."""
    for name in sorted(_waiting):
        module = sys.modules.get(name)
        if module is not None and not _half_imported(module):
            _waiting.discard(name)
            _run(name, module)


def waiting() -> frozenset[str]:
    """Returns the modules that were being imported when their hook was registered."""
    return frozenset(_waiting)


def _imported(module: ModuleType) -> None:
    # wrapt forgets a hook once it has called it.
    _armed.discard(module.__name__)
    _run(module.__name__, module)
    retry()


def _run(name: str, module: ModuleType) -> None:
    try:
        _hooks[name](module)
    except Exception as error:
        faults.record(name.partition(".")[0], name, "the import", error)


def _half_imported(module: ModuleType) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))
