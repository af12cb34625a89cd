"""A session: settings, a store and this process's journal. Runs begin and end here."""

from __future__ import annotations

import atexit
import os
import threading
import time
import uuid
import weakref
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from autolog_core import limits
from autolog_core.address import count_journals, resolve_address, spool_folder
from autolog_core.background import Background
from autolog_core.config import Settings, read_settings
from autolog_core.entities import Experiment, LifecycleStage, Run
from autolog_core.errors import InvalidArgument, NotFound
from autolog_core.journal.pump import Pump
from autolog_core.journal.report import tell
from autolog_core.journal.writer import JournalWriter
from autolog_core.live import LiveRun, now
from autolog_core.saving import ModelWriter

if TYPE_CHECKING:
    from autolog_core.capture.collect import Captured, Facts
    from autolog_core.capture.system_metrics import SystemMetricsSampler
    from autolog_core.journal.recovery import Recovered
    from autolog_core.logged_models import LiveModel
    from autolog_core.stores.base import Store

_PATIENCE = 2.0
"""Seconds for which background work is waited for, or a run that another process has just begun."""
_SYSTEM = "system/"
_REMEMBERED = 256
"""Runs that can be logged to by id without being looked up again."""


class Session:
    """Connects a process to a store; safe to use from any thread and after a fork.

    Args:
        address: Address of the store; by default what the settings say, else
            ``./mlruns/tracking.db``.
        settings: What can be set from outside; by default read from the environment.

    Attributes:
        address: The resolved address.
        chosen_experiment: Id of the experiment for new runs, once it is chosen.
        open_runs: Runs that this process began and has not ended.
        background: For work that no caller should wait for.
        saving: Writes the files of models.
        source_tags: What this process runs, as tags, once it was looked at.
        facts: What stays as it is while this process lives, once it was looked at.
        models: The handles of logged models that this process writes.
        last_look: When the code's state was last captured (monotonic seconds), and what it was.
    """

    def __init__(self, address: str | None = None, settings: Settings | None = None) -> None:
        self.settings = settings or read_settings()
        self.address = resolve_address(address or self.settings.tracking_uri)
        self._lock = threading.RLock()
        self._store: Store | None = None
        self._pump: Pump | None = None
        self._handles: weakref.WeakValueDictionary[str, LiveRun] = weakref.WeakValueDictionary()
        # Keeps handles that nobody else holds, as clients that log by run id do.
        self._recent: deque[LiveRun] = deque(maxlen=_REMEMBERED)
        self.models: weakref.WeakValueDictionary[str, LiveModel] = weakref.WeakValueDictionary()
        self._experiments: dict[str, Experiment] = {}
        self._sampler: SystemMetricsSampler | None = None
        self.chosen_experiment: str | None = None
        self.open_runs: dict[str, LiveRun] = {}
        self.background = Background("autolog-background")
        self.saving = ModelWriter(self.settings)
        self.source_tags: dict[str, str] | None = None
        self.facts: Facts | None = None
        self.last_look: tuple[float, Captured] | None = None
        self._inherited: list[LiveRun | LiveModel] = []
        self._abandoned: list[object] = []
        self._closed = False
        _sessions.add(self)

    # reading

    def store(self) -> Store:
        """Returns the store, opened at the first call; what was logged may still be on its way.

        Raises:
            StorageError: It cannot be opened; the message says what to do.
        """
        if self._store is None:
            from autolog_core.stores.locate import open_store

            with self._lock:
                if self._store is None:
                    self._store = open_store(self.address)
        return self._store

    def read(self) -> Store:
        """Returns the store with all in it that this process, and any dead one, has logged.

        What is captured in the background is waited for, for a few seconds at most.

        Raises:
            StorageError: It cannot be opened or written.
        """
        self.background.wait(_PATIENCE)
        self.drain()
        self.recover()
        return self.store()

    def read_models(self, model_id: str | None = None) -> Store:
        """Returns the store as `read` does, once the files of models are written.

        Args:
            model_id: The only model that matters; absent, all that this process has logged.

        Raises:
            StorageError: It cannot be opened or written.
        """
        if model_id is None:
            self.saving.wait()
        else:
            self.saving.wait_for(model_id)
        return self.read()

    def recover(self) -> list[Recovered]:
        """Replays the journals of dead processes and returns what was found."""
        spool = spool_folder(self.address)
        if not spool.is_dir():
            return []
        from autolog_core.journal.recovery import recover

        return recover(spool, self.store())

    def experiment(self, experiment_id: str) -> Experiment:
        """Returns an experiment; looked up once.

        Raises:
            NotFound: There is none.
        """
        found = self._experiments.get(experiment_id)
        if found is None:
            found = self.store().get_experiment(experiment_id)
            self._experiments[experiment_id] = found
        return found

    def forget(self, *, experiment_id: str | None = None, run_id: str | None = None) -> None:
        """Drops what is remembered of an experiment or a run, after it was changed in the store."""
        if experiment_id is not None:
            self._experiments.pop(experiment_id, None)
        if run_id is not None:
            self._handles.pop(run_id, None)

    # writing

    def create_run(
        self,
        experiment_id: str,
        *,
        name: str | None = None,
        tags: Mapping[str, object] | None = None,
        start_time: int | None = None,
        user_id: str | None = None,
        owned: bool = True,
        run_id: str | None = None,
    ) -> LiveRun:
        """Begins a run through the journal: nothing is read or written in the store.

        Args:
            experiment_id: Where it belongs.
            name: Its name; by default two words and a number.
            tags: Its first tags.
            start_time: Milliseconds since the epoch; now if absent.
            user_id: Who runs it; by default the user of this process.
            owned: Whether it ends, FAILED, when this process dies.
            run_id: Its id; by default 32 random hex digits.

        Raises:
            NotFound: There is no such experiment.
            InvalidArgument: It is deleted, or an argument breaks a limit.
        """
        experiment = self.experiment(experiment_id)
        if experiment.lifecycle_stage != LifecycleStage.ACTIVE:
            raise InvalidArgument(
                f"experiment {experiment.name!r} (id {experiment_id}) is deleted: restore it with "
                "restore_experiment(), or choose another"
            )
        if name is None:
            from autolog_core.capture.names import random_name

            name = random_name()
        labels = {
            limits.check_key(key, "tag"): limits.check_text(
                value, limits.TAG_VALUE_LENGTH, f"value of tag {key!r}"
            )
            for key, value in (tags or {}).items()
        }
        name = labels["mlflow.runName"] = limits.check_text(
            name, limits.TAG_VALUE_LENGTH, "run name"
        )
        moment = now() if start_time is None else limits.check_timestamp(start_time)
        run_id = uuid.uuid4().hex if run_id is None else limits.check_run_id(run_id)
        uri = f"{experiment.artifact_location.rstrip('/')}/{run_id}/artifacts"
        user = user_id or self.settings.user
        live = LiveRun(
            self.writer,
            run_id=run_id,
            experiment_id=experiment_id,
            name=name,
            artifact_uri=uri,
            start_time=moment,
            user_id=user,
            tags=labels,
            owned=owned,
        )
        live.announce(self.writer())
        self._handles[run_id] = live
        self._recent.append(live)
        return live

    def live(self, run_id: str) -> LiveRun:
        """Returns the handle to write to a run; the run is looked up once.

        Raises:
            NotFound: There is none.
            InvalidArgument: It is deleted.
        """
        found = self._handles.get(run_id)
        if found is not None:
            return found
        run = self._find(limits.check_run_id(run_id))
        info = run.info
        if info.lifecycle_stage != LifecycleStage.ACTIVE:
            raise InvalidArgument(
                f"run {run_id} is deleted and cannot be written: restore it with restore_run()"
            )
        live = LiveRun(
            self.writer,
            run_id=run_id,
            experiment_id=info.experiment_id,
            name=info.run_name or "",
            artifact_uri=info.artifact_uri or "",
            start_time=info.start_time,
            user_id=info.user_id,
            status=info.status,
            end_time=info.end_time,
            params=run.data.params,
            tags=run.data.tags,
        )
        samples = [one.step for one in run.data.summaries.values() if one.key.startswith(_SYSTEM)]
        live.system_step = max(samples, default=-1) + 1
        with self._lock:
            live = self._handles.setdefault(run_id, live)
            self._recent.append(live)
        return live

    def _find(self, run_id: str) -> Run:
        """Returns a run that may have been begun by another process a moment ago."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return self.read().get_run(run_id)
            except NotFound:
                alone = count_journals(spool_folder(self.address)) < (2 if self._pump else 1)
                if alone or time.monotonic() > deadline:
                    raise
            time.sleep(self.settings.flush_interval / 4)

    def resume_run(self, run_id: str) -> LiveRun:
        """Takes up a run again: it is RUNNING, and ends with this process.

        Raises:
            NotFound: There is none.
            InvalidArgument: It is deleted.
        """
        live = self.live(run_id)
        live.resume()
        return live

    def drain(self) -> None:
        """Returns when everything logged before the call is in the store.

        Raises:
            StorageError: The store cannot take it; the journal keeps it.
        """
        pump = self._pump
        if pump is not None:
            pump.flush()

    def watch(self, live: LiveRun) -> None:
        """Samples the system's metrics into a run until `unwatch`."""
        how = self.settings
        wanted = (
            how.system_metrics_interval,
            how.system_metrics_samples,
            how.system_metrics_node,
        )
        if self._sampler is None:
            from autolog_core.capture.system_metrics import SystemMetricsSampler

            with self._lock:
                if self._sampler is None:
                    self._sampler = SystemMetricsSampler(*wanted)
        self._sampler.configure(*wanted)
        live.watched = True
        self._sampler.watch(live.run_id, live.log_metrics, live.system_step)

    def unwatch(self, live: LiveRun) -> None:
        """Ends the sampling of the system's metrics into a run."""
        if live.watched and self._sampler is not None:
            live.watched = False
            self._sampler.unwatch(live.run_id)

    def is_closed(self) -> bool:
        """Whether nothing can be logged through the session any more."""
        return self._closed

    def close(self) -> None:
        """Ends the runs that are open, writes everything out and lets go of the store.

        Nothing can be logged through the session afterwards.
        """
        if self._closed:
            return
        from autolog_core.runs import finish_open_runs

        finish_open_runs(self)
        with self._lock:
            self._closed = True
            pump, self._pump = self._pump, None
        if self._sampler is not None:
            self._sampler.stop()
        if pump is not None:
            pump.close()
        if self._store is not None:
            self._store.close()
            self._store = None

    def writer(self) -> JournalWriter:
        """Returns this process's journal, begun at the first call.

        Raises:
            InvalidArgument: The session is closed.
            StorageError: The store cannot be opened, or the journal not be made.
        """
        pump = self._pump
        return pump.writer if pump is not None else self._start_pump()

    def _start_pump(self) -> JournalWriter:
        with self._lock:
            if self._closed:
                raise InvalidArgument("this session is closed: nothing can be logged through it")
            if self._pump is None:
                self.store()
                self._pump = Pump(
                    spool_folder(self.address),
                    self.store,
                    self.settings.flush_interval,
                    tell,
                )
                for live in self._inherited:
                    live.announce(self._pump.writer)
                self._inherited = []
                _close_with_worker(self)
            return self._pump.writer

    def after_fork(self) -> None:
        """Starts over in a forked child: its own journal, its own connections, the same runs."""
        # The parent's connections must not be closed from here: keep them out of the collector.
        self._abandoned += [self._store, self._pump, self._sampler]
        self._abandoned += [self.background, self.saving]
        self._store = None
        self._pump = None
        self._lock = threading.RLock()
        self._sampler = None
        self.background = Background("autolog-background")
        self.saving = ModelWriter(self.settings)
        self.open_runs = {}
        for live in list(self._handles.values()):
            live.owned = False
            live.attach()
            self._inherited.append(live)
        for model in list(self.models.values()):
            model.owned = False
            self._inherited.append(model)


_sessions: weakref.WeakSet[Session] = weakref.WeakSet()
_default: Session | None = None
_default_lock = threading.Lock()


def default_session() -> Session:
    """Returns the one default session, made at the first call."""
    global _default
    if _default is None:
        with _default_lock:
            if _default is None:
                _default = Session()
    return _default


def set_default(address: str | None) -> None:
    """Makes a new default session for `address`.

    The old one is closed, unless runs are open in it: those go on there and end with the process.

    Args:
        address: Address of a store; None for what the settings say.

    Raises:
        InvalidArgument: No store is known for the address; the old session stays.
    """
    global _default
    session = Session(address)
    with _default_lock:
        old, _default = _default, session
    if old is not None and not old.open_runs:
        old.close()


def _after_fork() -> None:
    global _default_lock
    _default_lock = threading.Lock()
    for session in list(_sessions):
        session.after_fork()


def _close_with_worker(session: Session) -> None:
    """Has a `multiprocessing` worker close the session: such a process skips `atexit`."""
    import sys

    util = sys.modules.get("multiprocessing.util")
    process = sys.modules.get("multiprocessing.process")
    if util is not None and process is not None and process.parent_process() is not None:
        util.Finalize(session, Session.close, args=(session,), exitpriority=10)


def _close_all() -> None:
    for session in list(_sessions):
        session.close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_close_all)
