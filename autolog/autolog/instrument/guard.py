"""Runs the user's call exactly once, with an observer before and after it.

Whatever goes wrong on our side is counted in `faults` and never reaches the user; whatever the
user's call raises goes on untouched.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from autolog.instrument import faults
from autolog.instrument.call import Call
from autolog.instrument.scope import in_worker, suppress
from autolog.instrument.wrapper import plain

if TYPE_CHECKING:
    from autolog.instrument.patcher import PatchSet
    from autolog.instrument.recorder import Recorder
    from autolog.instrument.spec import IntegrationSpec, Options


class Switch(Protocol):
    """State of an integration, as a watched call needs it."""

    spec: IntegrationSpec
    options: Options


class Observer(Protocol):
    """What an integration does around one watched call. It never makes the call itself."""

    def wants(self, call: Call) -> bool:
        """Whether this call is a training to record; if not, nothing inside it is either."""

    def title(self, call: Call) -> str:
        """Returns a name for the training, such as the class of the estimator."""

    def before(self, call: Call, recorder: Recorder) -> Call | None:
        """Records what is known before the call.

        Returns:
            The call with other arguments, by `Call.replace`; None to leave it as it is.
        """

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records what is known when the call has returned `result`."""

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Records what is known when the call has raised `error`."""


class Site:
    """A place whose calls are watched; the callable that its wrapper calls."""

    __slots__ = ("name", "observer", "owner", "patches")

    def __init__(
        self, patches: PatchSet, owner: str, name: str, observer: Callable[[Options], Observer]
    ) -> None:
        self.patches = patches
        self.owner = owner
        self.name = name
        self.observer = observer

    def label_of(self, instance: Any) -> str:
        """Returns a call in words, such as "SVC.fit", wherever SVC inherits it from."""
        if instance is None:
            return f"{self.owner}.{self.name}"
        owner = instance if isinstance(instance, type) else type(instance)
        return f"{owner.__name__}.{self.name}"

    def __call__(
        self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Makes the user's call, observed if it is outermost and the patches are live."""
        __tracebackhide__ = True
        if not self.patches.live or in_worker():
            return wrapped(*args, **kwargs)
        wrapped = plain(wrapped, instance)
        watch = Watch(self, Call(wrapped, instance, args, kwargs))
        watch.begin()
        call = watch.call
        try:
            result = wrapped(*call.args, **call.kwargs)
        except BaseException as error:
            watch.failed(error)
            raise
        watch.returned(result)
        return result


class Watch:
    """One watched call: the scope, the observer and the recorder that belong to it."""

    __slots__ = ("_label", "_observer", "_recorder", "_scope", "_site", "_started", "call")

    def __init__(self, site: Site, call: Call) -> None:
        self.call = call
        self._site = site
        self._label = site.label_of(call.instance)
        self._observer: Observer | None = None
        self._recorder: Recorder | None = None
        self._scope = suppress()
        self._started = perf_counter()

    def begin(self) -> None:
        """Opens the scope and the run and lets the observer see the call."""
        self._scope.__enter__()
        try:
            self._prepare()
        except Exception as error:
            self._fault("the start", error)
        except BaseException as error:
            # Ctrl-C while we work is the user's: nothing of ours stays open.
            self._leave("FAILED", error)
            raise

    def returned(self, result: Any) -> None:
        """Lets the observer see the result and closes what was opened."""
        try:
            if self._recorder is not None and self._observer is not None:
                self._recorder.resume()
                self._observer.after(self.call, self._recorder, result)
        except Exception as error:
            self._fault("the result", error)
        except BaseException as error:
            self._leave("FAILED", error)
            raise
        self._leave("FINISHED", None)

    def failed(self, error: BaseException) -> None:
        """Lets the observer see the user's error and closes what was opened."""
        try:
            if self._recorder is not None and self._observer is not None:
                self._recorder.resume()
                self._observer.failed(self.call, self._recorder, error)
        except Exception as fault:
            self._fault("the failure", fault)
        finally:
            self._leave("FAILED", error)

    def _prepare(self) -> None:
        from autolog import _active
        from autolog.instrument.recorder import Recorder

        switch = self._site.patches.switch
        options = switch.options
        observer = self._site.observer(options)
        if not observer.wants(self.call):
            return
        if options.exclusive and _active.current() is not None:
            return
        self._recorder = Recorder.open(
            switch.spec, options, self._label, observer.title(self.call), self._started
        )
        self._observer = observer
        changed = observer.before(self.call, self._recorder)
        if changed is not None:
            self.call = changed
        self._recorder.pause()

    def _leave(self, status: str, error: BaseException | None) -> None:
        try:
            if self._recorder is not None:
                self._recorder.close(status, error)
        except Exception as fault:
            self._fault("the end", fault)
        finally:
            self._recorder = None
            self._scope.__exit__()

    def _fault(self, phase: str, error: Exception) -> None:
        switch = self._site.patches.switch
        fault = faults.record(
            switch.spec.name, self._label, phase, error, silent=switch.options.silent
        )
        if self._recorder is not None:
            self._recorder.fault(fault)
