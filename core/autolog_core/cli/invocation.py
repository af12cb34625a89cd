"""What every command shares: its options, its store and its way to print."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from autolog_core.cli.output import Output
    from autolog_core.config import Settings
    from autolog_core.session import Session
    from autolog_core.stores.base import Store

F = TypeVar("F", bound=Callable[..., Any])
_META = "autolog_core.cli."


class Invocation:
    """One call of the command line.

    Attributes:
        address: The tracking address that was asked for, or None for the one in force.
        as_json: Whether JSON was asked for.
        colour: Whether colours may be used.
        now: Milliseconds since the epoch.
    """

    def __init__(self, ctx: click.Context) -> None:
        meta = ctx.meta
        self.address: str | None = meta.get(_META + "tracking_uri")
        self.as_json: bool = meta.get(_META + "as_json", False)
        self.colour: bool = not meta.get(_META + "no_color", False)
        self.now = int(time.time() * 1000)
        self._closing = ctx.call_on_close

    @cached_property
    def out(self) -> Output:
        """Where results go."""
        from autolog_core.cli.output import Output

        return Output(self.as_json, self.colour)

    @cached_property
    def settings(self) -> Settings:
        """What the environment sets.

        Raises:
            InvalidArgument: A variable has a value that cannot be read.
        """
        from autolog_core.config import read_settings

        return read_settings()

    def session(self, must_exist: bool = True) -> Session:
        """Returns a session that is closed when the command ends.

        Raises:
            InvalidArgument: The address names no store.
            NotFound: There is no database at the address, and `must_exist` is set.
        """
        from autolog_core.cli.opening import open_session

        session = open_session(self.address, self.settings, must_exist)
        self._closing(session.close)
        return session

    def store(self, must_exist: bool = True) -> Store:
        """Returns the store, with what dead processes left brought in.

        Raises:
            NotFound: There is no database at the address; none is made if `must_exist` is set.
            StorageError: It cannot be opened.
        """
        from autolog_core.cli.opening import recover

        session = self.session(must_exist)
        store = session.store()
        recover(session)
        return store


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    if value:
        ctx.meta[_META + str(param.name)] = value
    return value


def common_options(function: F) -> F:
    """Adds ``--tracking-uri`` and ``--no-color``."""
    function = click.option(
        "--no-color",
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="Print without colours.",
    )(function)
    return click.option(
        "--tracking-uri",
        metavar="ADDRESS",
        expose_value=False,
        callback=_keep,
        help="Store to use instead of AUTOLOG_TRACKING_URI or ./mlruns/tracking.db.",
    )(function)


def acts(function: F) -> F:
    """Makes `function` a command's body: its first argument is the `Invocation`."""
    return common_options(_with_invocation(function))


def reads(function: F) -> F:
    """Like `acts`, for a command that only reads: adds ``--json``."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="Print JSON.",
    )(acts(function))


def _with_invocation(function: F) -> F:
    @click.pass_context
    def call(ctx: click.Context, *args: Any, **kwargs: Any) -> Any:
        return ctx.invoke(function, Invocation(ctx), *args, **kwargs)

    return update_wrapper(call, function)  # type: ignore[return-value]
