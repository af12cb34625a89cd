"""What an integration says about itself, without importing its library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from autolog_core import limits
from autolog_core.errors import InvalidArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options that every integration takes, with MLflow's names and defaults.

    Attributes:
        disable: Turns the integration off.
        exclusive: Logs nothing while a run of the user is active.
        disable_for_unsupported_versions: Leaves a library outside the tested versions alone.
        silent: No line of ours is printed or logged.
        extra_tags: Tags for every autologged run.
        log_datasets: Whether a reference to the training data is kept.
        log_models: Whether fitted models are kept.
        log_input_examples: Whether models carry an example of their input.
        log_model_signatures: Whether models carry the schema of their input and output.
        registered_model_name: Name that models are registered under.
    """

    disable: bool = False
    exclusive: bool = False
    disable_for_unsupported_versions: bool = False
    silent: bool = False
    extra_tags: Mapping[str, str] | None = None
    log_datasets: bool = True
    log_models: bool = True
    log_input_examples: bool = False
    log_model_signatures: bool = True
    registered_model_name: str | None = None

    def __post_init__(self) -> None:
        for option in fields(self):
            value = getattr(self, option.name)
            if isinstance(option.default, bool) and not isinstance(value, bool):
                raise InvalidArgument(f"{option.name} must be True or False, got {value!r}")
        name = self.registered_model_name
        if name is not None and not isinstance(name, str):
            raise InvalidArgument(f"registered_model_name must be None or a name, got {name!r}")
        if self.extra_tags is not None:
            check_tags(self.extra_tags)

    @classmethod
    def names(cls) -> frozenset[str]:
        """Returns the names of the options."""
        return frozenset(option.name for option in fields(cls))

    def changed(self) -> dict[str, Any]:
        """Returns the options that differ from their default."""
        return {
            option.name: getattr(self, option.name)
            for option in fields(self)
            if getattr(self, option.name) != option.default
        }


def check_tags(tags: object) -> None:
    """Checks the argument `extra_tags`.

    Raises:
        InvalidArgument: It is no mapping, or a tag breaks a limit.
    """
    if not isinstance(tags, Mapping):
        raise InvalidArgument(
            f"extra_tags must be a dictionary from tag names to values, got {tags!r}"
        )
    for key, value in tags.items():
        limits.check_key(key, "extra_tags")
        limits.check_text(value, limits.TAG_VALUE_LENGTH, f"extra_tags[{key!r}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationSpec:
    """Describes an integration, so that nothing of it is loaded before its library is.

    Attributes:
        name: Of the integration, which is also the flavor in tags and in `exclude_flavors`.
        package: Distribution that provides the library.
        supports: Versions that the integration is tested with, such as ``">=1.5,<1.10"``.
        hooks: Modules whose import installs the patches; the defining ones, not the package.
        patch: ``"module:function"``, called as ``function(patches, module)`` for each hook.
        options: Class of its options.
        owns: Top-level packages whose classes are this integration's alone, such as "xgboost":
            their estimators are scikit-learn's too, and would be recorded twice.
        without_effect: Options that are accepted but change nothing yet, and why.
    """

    name: str
    package: str
    supports: str
    hooks: tuple[str, ...]
    patch: str
    options: type[Options] = Options
    owns: tuple[str, ...] = ()
    without_effect: Mapping[str, str] = field(default_factory=dict)
