"""Where runs are kept."""

from __future__ import annotations

from pathlib import Path

from autolog._sessions import full_address, keep
from autolog.fluent_experiments import carry_choice
from autolog_core import config
from autolog_core.session import default_session, set_default


def set_tracking_uri(uri: str | Path | None) -> None:
    """Makes new runs of this process and its children go to another store.

    Runs that are active go on where they are. An experiment that was chosen by `set_experiment`
    stays chosen by its name.

    Args:
        uri: ``sqlite:///path/to/file.db`` or a folder; None or "" for ``./mlruns``.

    Raises:
        InvalidArgument: No store is known for its scheme.
    """
    address = full_address(uri)
    old = default_session()
    if address == old.address:
        return
    carry_choice()
    config.export("TRACKING_URI", address)
    set_default(address)
    if old.open_runs:
        keep(old)


def get_tracking_uri() -> str:
    """Returns the absolute address of the store that new runs go to."""
    return default_session().address


def is_tracking_uri_set() -> bool:
    """Whether the address was chosen, by `set_tracking_uri` or the environment."""
    return config.read_settings().tracking_uri is not None
