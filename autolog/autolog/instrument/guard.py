"""Runs the user's call exactly once, with an observer before and after it.

Whatever goes wrong on our side is counted in `faults` and never reaches the user; whatever the
user's call raises goes on untouched.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

from autolog.instrument import faults
from autolog.instrument.call import Call
from autolog.instrument.scope import in_worker, outermost, suppress, watching
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


Inside = Callable[[Any, Call, "Recorder"], Call | None]
"""Sees a call that a watched one makes: ``inside(observer, call, recorder)``, with the observer and
the recorder of the watched call. Returns the call with other arguments, or None."""

Follower = Callable[[Call, Any], None]
"""Sees a call that is no training, and its result: ``follower(call, result)``."""

_light: WeakSet[Follower] = WeakSet()


def lightly(follower: Follower) -> Follower:
    """Marks a follower of calls that are short and frequent, such as predictions of one row.

    Worker threads that such a call opens are not known to belong to it, which takes as long as all
    the rest: what they do may be followed, so it must not matter.
    """
    _light.add(follower)
    return follower


class Site:
    """A place whose calls are watched; the callable that its wrapper calls."""

    __slots__ = ("inside", "name", "observer", "owner", "patches")

    def __init__(
        self,
        patches: PatchSet,
        owner: str,
        name: str,
        observer: Callable[[Any], Observer],
        inside: Inside | None = None,
    ) -> None:
        self.patches = patches
        self.owner = owner
        self.name = name
        self.observer = observer
        self.inside = inside

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
        if not self.patches.live:
            return wrapped(*args, **kwargs)
        if not outermost.get():
            call = self._seen_inside(Call(plain(wrapped, instance), instance, args, kwargs))
            return wrapped(*args, **kwargs) if call is None else wrapped(*call.args, **call.kwargs)
        if in_worker():
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

    def _seen_inside(self, call: Call) -> Call | None:
        watch: Watch | None = watching.get()
        if self.inside is None or watch is None or not watch.belongs_to(self.patches):
            return None
        return watch.see(self.inside, call)


class FollowedSite:
    """A place whose results are looked at, such as predictions: no training, and no run."""

    __slots__ = ("follower", "light", "name", "owner", "patches")

    def __init__(self, patches: PatchSet, owner: str, name: str, follower: Follower) -> None:
        self.patches = patches
        self.owner = owner
        self.name = name
        self.follower = follower
        self.light = follower in _light

    def __call__(
        self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Makes the user's call, and lets the follower see its result."""
        __tracebackhide__ = True
        light = self.light
        if not self.patches.live or (not light and in_worker()):
            return wrapped(*args, **kwargs)
        scope = None if light else suppress()
        if scope is None:
            token = outermost.set(False)
        else:
            scope.__enter__()
        try:
            result = wrapped(*args, **kwargs)
            try:
                self.follower(Call(plain(wrapped, instance), instance, args, kwargs), result)
            except Exception as error:
                self._fault(error)
            return result
        finally:
            if scope is None:
                outermost.reset(token)
            else:
                scope.__exit__()

    def _fault(self, error: Exception) -> None:
        switch = self.patches.switch
        site = f"{self.owner}.{self.name}"
        faults.record(switch.spec.name, site, "the result", error, silent=switch.options.silent)


class Watch:
    """One watched call: the scope, the observer and the recorder that belong to it."""

    __slots__ = (
        "_label",
        "_observer",
        "_outer",
        "_recorder",
        "_scope",
        "_site",
        "_started",
        "call",
    )

    def __init__(self, site: Site, call: Call) -> None:
        self.call = call
        self._site = site
        self._label = site.label_of(call.instance)
        self._observer: Observer | None = None
        self._recorder: Recorder | None = None
        self._scope = suppress()
        self._outer: Any = None
        self._started = perf_counter()

    def belongs_to(self, patches: PatchSet) -> bool:
        """Whether the call is watched by these patches."""
        return self._site.patches is patches

    def see(self, inside: Inside, call: Call) -> Call | None:
        """Lets the observer see a call that the watched one makes."""
        if self._observer is None or self._recorder is None:
            return None
        try:
            return inside(self._observer, call, self._recorder)
        except Exception as error:
            self._fault("an inner call", error)
            return None

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
        from autolog.instrument import ongoing
        from autolog.instrument.recorder import Recorder

        switch = self._site.patches.switch
        options = switch.options
        observer = self._site.observer(options)
        if not observer.wants(self.call):
            return
        if options.exclusive and _active.current() is not None:
            return
        if ongoing.any_open():
            ongoing.close_here(self.call.instance)
        self._recorder = Recorder.open(
            switch.spec, options, self._label, observer.title(self.call), self._started
        )
        self._observer = observer
        changed = observer.before(self.call, self._recorder)
        if changed is not None:
            self.call = changed
        self._outer = watching.get()
        watching.set(self)
        self._recorder.pause()

    def _leave(self, status: str, error: BaseException | None) -> None:
        try:
            if self._recorder is not None:
                self._recorder.close(status, error)
        except Exception as fault:
            self._fault("the end", fault)
        finally:
            self._recorder = None
            if watching.get() is self:
                watching.set(self._outer)
            self._scope.__exit__()

    def _fault(self, phase: str, error: Exception) -> None:
        switch = self._site.patches.switch
        fault = faults.record(
            switch.spec.name, self._label, phase, error, silent=switch.options.silent
        )
        if self._recorder is not None:
            self._recorder.fault(fault)
