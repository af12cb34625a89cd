"""Saving a model in two parts: a snapshot on the caller, and its writing wherever there is time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from autolog_core.models.code import copy_code
from autolog_core.models.directory import new_directory, size_of
from autolog_core.models.environment import make_environment, requirements_of
from autolog_core.models.example import Example
from autolog_core.models.manifest import FILE, Model
from autolog_core.models.seal import content_digest, write_seal
from autolog_core.models.signature import ModelSignature


@dataclass(frozen=True, slots=True)
class Parts:
    """What a flavor put into a model directory.

    Attributes:
        flavors: How to load it, by flavor, as the manifest holds it.
        modules: Names of the modules that the model's parts come from.
        needed: Names of distributions that loading needs besides.
        runs_code: Why loading it runs code of whoever wrote it; empty for a safe format.
        notes: What the user should know about how it was saved.
        weights: Files of values alone, whose digests another file of the model holds; they are not
            read again to seal it.
        settled: Is told where the directory is, once it is whole.
    """

    flavors: Mapping[str, Mapping[str, Any]]
    modules: frozenset[str] = frozenset()
    needed: tuple[str, ...] = ()
    runs_code: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    settled: Callable[[Path], None] | None = None


class Payload(Protocol):
    """A model as it was at one moment; nothing that the user does later changes it.

    One that holds much memory tells how many bytes in an attribute `size`, and says in a true
    attribute `reserved` that these are counted already. One that reads the user's own model while
    it is written says so in a true attribute `live`.
    """

    def write(self, folder: Path) -> Parts:
        """Writes the model's own files into `folder`. Runs in any thread, at most once."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the user says about the environment, as `make_environment` takes it."""

    pip_requirements: Any = None
    extra_pip_requirements: Any = None
    conda_env: Any = None

    def check(self) -> None:
        """Reads it once, so that a mistake is told to the caller and not in the background.

        Raises:
            InvalidArgument: Something cannot be read.
            NotFound: A file is missing.
        """
        given = (self.pip_requirements, self.extra_pip_requirements, self.conda_env)
        if any(each is not None for each in given):
            make_environment((), *given)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a model directory will hold.

    Attributes:
        payload: The model itself.
        signature: What it takes and gives.
        example: Its input example.
        metadata: What the user keeps with it.
        requirements: What the user says about the environment.
        code: Files and folders of code that travel with it.
        manifest: Ids and other fields of the manifest that are known beforehand.
    """

    payload: Payload
    signature: ModelSignature | None = None
    example: Example | None = None
    metadata: Mapping[str, Any] | None = None
    requirements: Requirements = field(default_factory=Requirements)
    code: tuple[Path, ...] = ()
    manifest: Model = field(default_factory=Model)


@dataclass(frozen=True, slots=True)
class Written:
    """A model directory that is complete.

    Attributes:
        path: Where it is.
        model: Its manifest.
        size: Bytes of all its files.
        digest: Over names and bytes of its files; weights count by the digests that another has.
        runs_code: Why loading it asks for trust; empty where it does not.
        notes: What the user should know about how it was saved.
    """

    path: Path
    model: Model
    size: int
    digest: str
    runs_code: tuple[str, ...]
    notes: tuple[str, ...]


def write(snapshot: Snapshot, path: str | os.PathLike[str]) -> Written:
    """Writes a model directory, whole or not at all.

    Raises:
        AlreadyExists: There is something at `path`.
        InvalidArgument: The model or its metadata cannot be written.
        StorageError: The disk refuses.
    """
    with new_directory(path) as folder:
        parts = snapshot.payload.write(folder)
        if snapshot.example is not None:
            snapshot.example.write(folder)
        code = copy_code(snapshot.code, folder)
        if code is not None:
            flavors = {name: {**each, "code": code} for name, each in parts.flavors.items()}
            reasons = (*parts.runs_code, f"it brings Python files in {code}/")
            parts = replace(parts, flavors=flavors, runs_code=reasons)
        told = snapshot.requirements
        make_environment(
            requirements_of(parts.modules, parts.needed),
            told.pip_requirements,
            told.extra_pip_requirements,
            told.conda_env,
        ).write(folder)
        model = replace(
            snapshot.manifest,
            flavors={**snapshot.manifest.flavors, **parts.flavors},
            signature=snapshot.signature or snapshot.manifest.signature,
            metadata=snapshot.metadata or snapshot.manifest.metadata,
            saved_input_example_info=None if snapshot.example is None else snapshot.example.info,
            model_size_bytes=size_of(folder),
        )
        (folder / FILE).write_text(model.to_yaml(), encoding="utf-8")
        if parts.runs_code:
            write_seal(folder, model, parts.weights)
        size, digest = size_of(folder), content_digest(folder, parts.weights)
    if parts.settled is not None:
        parts.settled(Path(path))
    return Written(Path(path), model, size, digest, parts.runs_code, parts.notes)
