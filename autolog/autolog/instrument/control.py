"""Which integrations are on, with which options, and who said so."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal

from autolog.instrument import faults, hooks, registry
from autolog.instrument.patcher import PatchSet
from autolog.instrument.spec import IntegrationSpec, Options

logger = logging.getLogger("autolog")

Source = Literal["autolog.autolog()", "the integration's own autolog()"]
GLOBAL: Source = "autolog.autolog()"
OWN: Source = "the integration's own autolog()"
Snapshot = Mapping[str, tuple[Source | None, Options]]
"""Who set the options of each integration, and the options."""


@dataclass(frozen=True, slots=True)
class IntegrationStatus:
    """How an integration stands.

    Attributes:
        name: Of the integration.
        state: "off", "waiting" (for the library to be imported), "on", or "unsupported".
        package: Distribution that provides the library.
        version: Of the library; None before it is imported.
        supports: Versions that the integration is tested with.
        source: Which call set the options; None if none did.
        options: The options in force.
        without_effect: Options in force that change nothing yet, and why.
        patches: How many functions are watched.
        errors: How many errors of ours were kept from the user's program.
    """

    name: str
    state: str
    package: str
    version: str | None
    supports: str
    source: str | None
    options: Mapping[str, Any]
    without_effect: Mapping[str, str]
    patches: int
    errors: int


@dataclass(slots=True)
class Integration:
    """State of one integration in this process; what `guard.Switch` asks for."""

    spec: IntegrationSpec
    options: Options
    source: Source | None = None
    state: str = "off"
    version: str | None = None
    patches: PatchSet | None = None
    told: set[str] = field(default_factory=set)


_lock = threading.RLock()
_integrations: dict[str, Integration] = {}


def configure(name: str, source: Source, **values: Any) -> None:
    """Turns an integration on or off.

    Options set by the integration's own ``autolog()`` stay until it is called again: as in MLflow,
    ``autolog.autolog()`` does not change them.

    Args:
        name: Of the integration.
        source: Which call this is.
        values: Its options; the rest take their defaults.

    Raises:
        InvalidArgument: There is no such integration, or an option has a wrong value.
    """
    spec = registry.find(name)
    options = spec.options(**values)
    with _lock:
        found = _integrations.setdefault(name, Integration(spec, spec.options(disable=True)))
        if source == GLOBAL and found.source == OWN:
            _tell_kept(found, options)
            return
        _set(found, source, options)
        if not options.disable:
            _tell_without_effect(found, options)
        _follow_workers()
        if not options.disable:
            from autolog.instrument import worker_tasks

            worker_tasks.told()


def status() -> dict[str, IntegrationStatus]:
    """Returns how each integration stands, by name."""
    with _lock:
        hooks.retry()
        return {name: _status(name) for name in registry.names()}


def options_of(name: str) -> Options | None:
    """Returns the options in force of an integration; None if it is off."""
    found = _integrations.get(name)
    return None if found is None or found.patches is None else found.options


def snapshot() -> Snapshot:
    """Returns who set the options of each integration, and the options, by name."""
    with _lock:
        return {name: (found.source, found.options) for name, found in _integrations.items()}


def restore(wanted: Snapshot) -> None:
    """Makes the integrations stand as another process's `snapshot` says; nothing is told again.

    What is no integration here is left out.
    """
    with _lock:
        for name, (source, options) in wanted.items():
            found = _integrations.get(name)
            if found is None:
                if name not in registry.names():
                    continue
                spec = registry.find(name)
                found = _integrations[name] = Integration(spec, spec.options(disable=True))
                found.told.add("version")
            if found.options is not options or found.source != source:
                _set(found, source, options)
        for name, found in _integrations.items():
            if name not in wanted and not found.options.disable:
                _set(found, None, found.spec.options(disable=True))
        _follow_workers()


def _set(found: Integration, source: Source | None, options: Options) -> None:
    found.options = options
    found.source = source
    if options.disable:
        _turn_off(found)
        return
    if found.state == "off":
        found.state = "waiting"
    hooks.retry()
    for module in found.spec.hooks:
        hooks.register(module, lambda loaded: _on_import(found, loaded))


def _follow_workers() -> None:
    """Lets tasks for worker processes carry this state as long as anything is on."""
    from autolog.instrument import workers

    if all(found.options.disable for found in _integrations.values()):
        workers.unwatch()
    else:
        workers.watch()


def _renew_lock() -> None:
    # Another thread of the parent may have held it at the fork.
    global _lock
    _lock = threading.RLock()


def _status(name: str) -> IntegrationStatus:
    spec = registry.find(name)
    found = _integrations.get(name) or Integration(spec, spec.options(disable=True))
    options = found.options
    return IntegrationStatus(
        name=name,
        state=found.state,
        package=spec.package,
        version=found.version,
        supports=spec.supports,
        source=found.source,
        options={key: getattr(options, key) for key in sorted(options.names())},
        without_effect={
            key: why for key, why in spec.without_effect.items() if getattr(options, key)
        },
        patches=0 if found.patches is None else len(found.patches),
        errors=faults.count(name),
    )


def _on_import(found: Integration, module: ModuleType) -> None:
    with _lock:
        if found.options.disable or found.state == "off":
            return
        if not _check_version(found, module):
            return
        if found.patches is None:
            found.patches = PatchSet(found)
        found.state = "on"
        if found.patches.installed.get(module.__name__) is not module:
            found.patches.installed[module.__name__] = module
            registry.load(found.spec.patch)(found.patches, module)
            found.patches.spread()


def _turn_off(found: Integration) -> None:
    ongoing = sys.modules.get("autolog.instrument.ongoing")
    if ongoing is not None:
        ongoing.close_integration(found.spec.name)
    patches, found.patches = found.patches, None
    found.state = "off"
    if patches is None:
        return
    covered = patches.undo()
    if covered and not found.options.silent:
        logger.warning(
            "autolog.%s is off, but other code wrapped %s since: those wrappers of ours stay and "
            "only pass calls on",
            found.spec.name,
            ", ".join(covered[:3]) + (" and others" if len(covered) > 3 else ""),
        )


def _check_version(found: Integration, module: ModuleType) -> bool:
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion, Version

    spec = found.spec
    found.version = _version(spec, module)
    try:
        known = SpecifierSet(spec.supports).contains(Version(found.version), prereleases=True)
    except InvalidVersion:
        known = False
    if known:
        return True
    stop = found.options.disable_for_unsupported_versions
    if stop:
        found.state = "unsupported"
    _tell(
        found,
        "version",
        f"autolog.{spec.name} is tested with {spec.package} {spec.supports}; {found.version} is "
        + ("installed, so it stays off" if stop else "installed, and it is watched all the same"),
    )
    return not stop


def _version(spec: IntegrationSpec, module: ModuleType) -> str:
    root = sys.modules.get(module.__name__.partition(".")[0])
    version = getattr(root, "__version__", None)
    if isinstance(version, str):
        return version
    import importlib.metadata

    return importlib.metadata.version(spec.package)


def _tell_kept(found: Integration, options: Options) -> None:
    if options.disable and not found.options.disable:
        _tell(
            found,
            "kept",
            f"autolog.{found.spec.name}.autolog() was called before, so autolog.autolog() leaves "
            f"it on; call autolog.{found.spec.name}.autolog(disable=True) to turn it off",
        )


def _tell_without_effect(found: Integration, options: Options) -> None:
    changed = options.changed()
    for name, why in found.spec.without_effect.items():
        if changed.get(name, False) not in (False, 0):
            _tell(found, name, f"autolog.{found.spec.name}: {name} has no effect yet: {why}")


def _tell(found: Integration, topic: str, text: str) -> None:
    """Logs a line once per topic, unless the integration is to be silent."""
    if topic not in found.told and not found.options.silent:
        found.told.add(topic)
        logger.warning("%s", text)


os.register_at_fork(after_in_child=_renew_lock)
