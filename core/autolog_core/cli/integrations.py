"""Finds out which libraries can be captured, importing none of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any

from autolog_core.cli.problem import Problem

GROUP = "autolog.doctor"
"""Entry points of this group are functions that describe integrations; see `Integration`."""

# Names of distributions, for a line that says that they are not captured; nothing is imported.
_FRAMEWORKS = (
    "catboost",
    "flax",
    "jax",
    "keras",
    "lightgbm",
    "lightning",
    "pyspark",
    "pytorch-lightning",
    "scikit-learn",
    "statsmodels",
    "tensorflow",
    "torch",
    "transformers",
    "xgboost",
)


@dataclass(frozen=True, slots=True)
class Integration:
    """A library that autolog can capture, as its spec says.

    Attributes:
        name: The integration's name, such as "sklearn".
        package: The distribution to install.
        supported: The range of versions, such as ">=1.5".
        installed: The version that is installed, or None.
        enabled: Whether `autolog()` switches it on, None where that cannot be told.
        compatible: Whether the installed version is in range; None when there is none.
        exists: Whether this version of autolog can capture it at all.
    """

    name: str
    package: str
    supported: str
    installed: str | None
    enabled: bool | None
    compatible: bool | None
    exists: bool = True


def find_integrations(problems: list[Problem]) -> tuple[Integration, ...] | None:
    """Asks every package that describes integrations, importing no framework; None if none does.

    Args:
        problems: Gets what is wrong with them.
    """
    found: list[Integration] = []
    for point in metadata.entry_points(group=GROUP):
        try:
            describe = _describer(point)
            found += [_integration(item) for item in describe()] if describe else []
        except Exception as error:  # a broken plug-in must not take the doctor down
            package = point.dist.name if point.dist else point.module
            problems.append(
                Problem(
                    "warning",
                    f"{point.value} cannot say which integrations there are: "
                    f"{type(error).__name__}: {error}",
                    f"install it again: pip install --force-reinstall {package}",
                )
            )
    if not found:
        return None
    found += _others({item.package for item in found})
    for item in found:
        if item.compatible is False:
            problems.append(
                Problem(
                    "warning",
                    f"{item.package} {item.installed} is not in the supported range "
                    f"{item.supported}: it is not captured",
                    f'pip install "{item.package}{item.supported}"',
                )
            )
    return tuple(sorted(found, key=lambda item: (item.installed is None, item.name)))


def _describer(point: metadata.EntryPoint) -> Any:
    """Returns the function of an entry point; None for a package that does not have it yet."""
    module = import_module(point.module)
    return getattr(module, point.attr, None)


def _others(known: Collection[str]) -> Iterator[Integration]:
    for name in _FRAMEWORKS:
        if name not in known and (installed := installed_version(name)) is not None:
            yield Integration(name, name, "", installed, None, None, exists=False)


def _integration(item: Mapping[str, Any]) -> Integration:
    installed = item.get("installed")
    supported = str(item.get("supported") or "")
    compatible = None
    if installed:
        from packaging.specifiers import SpecifierSet

        compatible = SpecifierSet(supported).contains(str(installed), prereleases=True)
    enabled = item.get("enabled")
    return Integration(
        str(item["name"]),
        str(item.get("package") or item["name"]),
        supported,
        str(installed) if installed else None,
        None if enabled is None else bool(enabled),
        compatible,
    )


def installed_version(distribution: str) -> str | None:
    """Returns the version of a distribution, or None."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
