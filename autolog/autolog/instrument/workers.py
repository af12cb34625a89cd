"""Worker processes: a task that the user's code sends to one carries the state of autologging.

Watched are the places that hand tasks over: the backends of joblib and the executor of loky below
them, the executor of `concurrent.futures`, the pool of `multiprocessing`, and the start of a
process. They are called where the user's code is, while tasks are pickled in threads of their own.
A task that is sent inside a watched call stays the very object that it is without us.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from autolog.instrument import hooks
from autolog.instrument.patcher import PatchSet
from autolog.instrument.spec import IntegrationSpec, Options
from autolog.instrument.worker_state import freeze
from autolog.instrument.worker_tasks import Carried, Started

# What such a process runs are tasks, which carry a state of their own, or no trainings at all.
_MACHINERY = (
    "concurrent.futures.",
    "joblib.",
    "loky.",
    "multiprocessing.",
    "torch.multiprocessing.pool",
    "torch.utils.data.",
)
_settled: ContextVar[bool] = ContextVar("autolog_task_settled", default=False)
"""Whether joblib's backend has already said what the task that is being sent carries."""


class _Switch:
    spec = IntegrationSpec(name="workers", package="autolog-ml", supports="", hooks=(), patch="")
    options: Options = Options()


_patches: PatchSet | None = None


def watch() -> None:
    """Lets tasks carry the state from now on."""
    global _patches
    if _patches is None:
        _patches = PatchSet(_Switch())
    for name in _PLACES:
        hooks.register(name, _on_import)


def unwatch() -> None:
    """Restores what `watch` patched."""
    global _patches
    patches, _patches = _patches, None
    if patches is not None:
        patches.undo()


def _on_import(module: ModuleType) -> None:
    if _patches is not None and _patches.installed.get(module.__name__) is not module:
        _patches.installed[module.__name__] = module
        _PLACES[module.__name__](_patches, module)


def _watch_joblib(patches: PatchSet, module: Any) -> None:
    for name in ("LokyBackend", "MultiprocessingBackend"):
        owner = getattr(module, name)
        states: WeakKeyDictionary[Any, bytes | None] = WeakKeyDictionary()
        patches.replace(owner, "start_call", _joblib_start(owner, states))
        # Its name before joblib 1.5.
        submit = "submit" if hasattr(owner, "submit") else "apply_async"
        patches.replace(owner, submit, _joblib_submit(getattr(owner, submit), states))


def _joblib_start(owner: Any, states: WeakKeyDictionary[Any, bytes | None]) -> Callable[..., Any]:
    original = owner.start_call

    @wraps(original)
    def start_call(self: Any) -> Any:
        # Backends that derive from it may send tasks to other machines. The rest of the tasks is
        # sent from a thread of the backend, so this is the place to look.
        states[self] = freeze() if type(self) is owner else None
        return original(self)

    return start_call


def _joblib_submit(
    original: Callable[..., Any], states: WeakKeyDictionary[Any, bytes | None]
) -> Callable[..., Any]:
    @wraps(original)
    def submit(self: Any, func: Any, callback: Any = None) -> Any:
        state = states.get(self)
        if state is not None:
            func = Carried(func, state)
        token = _settled.set(True)
        try:
            return original(self, func, callback)
        finally:
            _settled.reset(token)

    return submit


def _watch_executor(patches: PatchSet, module: Any) -> None:
    owner = module.ProcessPoolExecutor
    patches.replace(owner, "submit", _carrying(owner.submit, "fn", 0))


def _watch_pool(patches: PatchSet, module: Any) -> None:
    pool, threads = module.Pool, module.ThreadPool
    patches.replace(pool, "apply_async", _carrying(pool.apply_async, "func", 0, threads))
    # What `map`, `starmap`, `imap` and the like call, with what runs a chunk.
    chunks = pool._guarded_task_generation
    patches.replace(pool, "_guarded_task_generation", _carrying(chunks, "func", 1, threads))


def _carrying(
    original: Callable[..., Any], name: str, position: int, besides: type | tuple[()] = ()
) -> Callable[..., Any]:
    """Returns a method that lets the task among its arguments carry the state.

    Args:
        original: The method.
        name: Of the parameter that is the task.
        position: Of that parameter, ``self`` aside.
        besides: Class of objects whose tasks stay in this process.
    """

    @wraps(original)
    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(self, besides):
            if len(args) > position:
                task = _carry(args[position])
                args = (*args[:position], task, *args[position + 1 :])
            elif name in kwargs:
                kwargs[name] = _carry(kwargs[name])
        return original(self, *args, **kwargs)

    return method


def _carry(task: Any) -> Any:
    if _settled.get() or type(task) is Carried:
        return task
    state = freeze()
    return task if state is None else Carried(task, state)


def _watch_process(patches: PatchSet, module: Any) -> None:
    original = module.BaseProcess.start

    @wraps(original)
    def start(self: Any) -> Any:
        started = _started(self)
        if started is None:
            return original(self)
        # Of the process that starts alone: in this one it is as it was. It comes first, as it is to
        # be unpickled before the target.
        self.__dict__ = {"run": started, **self.__dict__}
        try:
            return original(self)
        finally:
            del self.__dict__["run"]

    patches.replace(module.BaseProcess, "start", start)


def _started(process: Any) -> Started | None:
    """Returns what the process is to run instead of its ``run``; None to leave it alone."""
    from multiprocessing import get_start_method

    method = getattr(process, "_start_method", None) or get_start_method()
    if method not in ("fork", "forkserver", "spawn") or "run" in process.__dict__:
        return None
    target = getattr(process, "_target", None)
    machinery = (getattr(target, "__module__", None) or "").startswith(_MACHINERY)
    fresh = method != "fork"
    if machinery and fresh:
        return None
    state = freeze()
    if state is None:
        return None
    return Started(process, state if fresh else None, asleep=machinery)


_PLACES: dict[str, Callable[[PatchSet, Any], None]] = {
    "joblib._parallel_backends": _watch_joblib,
    "joblib.externals.loky.process_executor": _watch_executor,
    "loky.process_executor": _watch_executor,
    "concurrent.futures.process": _watch_executor,
    "multiprocessing.pool": _watch_pool,
    "multiprocessing.process": _watch_process,
}
