"""Autologging: turning it on and off, and asking how it stands."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autolog.instrument.control import IntegrationStatus


def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    log_traces: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    extra_tags: Mapping[str, str] | None = None,
    exclude_flavors: Sequence[str] | None = None,
) -> None:
    """Turns autologging on, or off, for every library that there is an integration for.

    Call it before or after importing a library; nothing is imported that the program does not
    import itself. An integration whose own ``autolog()`` was called keeps those options.

    Args:
        log_input_examples: Whether models carry a few rows of their input.
        log_model_signatures: Whether models carry the schema of their input and output.
        log_models: Whether trained models are kept, as logged models of their runs.
        log_datasets: Whether a reference to the training data is kept.
        log_traces: Accepted so that calls written for MLflow run; autolog keeps no traces of
            language models, whatever it says.
        disable: Turns all integrations off and restores the libraries.
        exclusive: Logs nothing while a run of the user is active.
        disable_for_unsupported_versions: Leaves libraries outside the tested versions alone.
        silent: No line of ours is printed or logged.
        extra_tags: Tags for every autologged run.
        exclude_flavors: Integrations to leave off, and to turn off if they are on.

    Raises:
        InvalidArgument: An option has a wrong value.
    """
    from autolog.instrument import control, registry
    from autolog_core.errors import InvalidArgument

    if not isinstance(log_traces, bool):
        raise InvalidArgument(f"log_traces must be True or False, got {log_traces!r}")
    excluded = _flavors(exclude_flavors)
    unknown = sorted(excluded.difference(registry.names()))
    if unknown and not silent:
        logging.getLogger("autolog").info(
            "exclude_flavors names %s; there is no such integration here", ", ".join(unknown)
        )
    for name in registry.names():
        control.configure(
            name,
            control.GLOBAL,
            log_input_examples=log_input_examples,
            log_model_signatures=log_model_signatures,
            log_models=log_models,
            log_datasets=log_datasets,
            disable=disable or name in excluded,
            exclusive=exclusive,
            disable_for_unsupported_versions=disable_for_unsupported_versions,
            silent=silent,
            extra_tags=extra_tags,
        )


@contextmanager
def disabled() -> Iterator[None]:
    """Context manager in which nothing is autologged in this thread or task.

    Other threads go on, except the workers of thread pools that are opened inside.
    """
    from autolog.instrument.scope import suppress

    with suppress():
        yield


def status() -> dict[str, IntegrationStatus]:
    """Returns how each integration stands, by name: state, options, who set them, errors."""
    from autolog.instrument import control

    return control.status()


def _flavors(names: object) -> frozenset[str]:
    from autolog_core.errors import InvalidArgument

    if names is None:
        return frozenset()
    if isinstance(names, str) or not isinstance(names, Sequence | set | frozenset):
        raise InvalidArgument(
            f"exclude_flavors must be a list of names such as ['sklearn'], got {names!r}"
        )
    if not all(isinstance(name, str) for name in names):
        raise InvalidArgument(f"exclude_flavors must hold names only, got {names!r}")
    return frozenset(names)
