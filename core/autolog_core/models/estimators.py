"""Estimators with the interface of scikit-learn, as files: skops where it holds them, else pickles.

Loading a skops file runs no code that the file could choose; loading a pickle does, so it is asked
for trust. An estimator that skops cannot hold (a function or a class of the user's own, a lambda)
is saved with cloudpickle, and a note says why.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autolog_core.errors import InvalidArgument, MissingExtra, NotSupported
from autolog_core.models import pickles
from autolog_core.models.flavors import file_of
from autolog_core.models.flavors import trusted as trusted_code
from autolog_core.models.manifest import Model
from autolog_core.models.skops_files import Refused, Rules, read_skops, write_skops

SKOPS, PICKLE, CLOUDPICKLE = "skops", "pickle", "cloudpickle"
FORMATS = (SKOPS, PICKLE, CLOUDPICKLE)
_FILES = {SKOPS: "model.skops", PICKLE: "model.pkl", CLOUDPICKLE: "model.pkl"}


def check_format(serialization_format: str | None) -> None:
    """Refuses what is no format.

    Raises:
        InvalidArgument: It is none of skops, pickle and cloudpickle, nor None.
    """
    if serialization_format not in (None, *FORMATS):
        raise InvalidArgument(
            f"serialization_format must be one of {', '.join(FORMATS)}, got "
            f"{serialization_format!r}"
        )


def pickled(estimator: Any, serialization_format: str | None) -> pickles.Pickled:
    """Returns an estimator as it is now.

    Raises:
        InvalidArgument: It cannot be pickled, or not in the format that is asked for.
    """
    what = f"the model {type(estimator).__name__}"
    found = pickles.dump(estimator, what)
    if serialization_format != PICKLE:
        return found
    try:
        data = pickle.dumps(estimator, protocol=pickle.DEFAULT_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidArgument(
            f"{what} cannot be pickled: {error}; "
            "serialization_format='cloudpickle' holds functions and classes of a script too"
        ) from error
    return pickles.Pickled(data, found.modules)


@dataclass(frozen=True, slots=True)
class WrittenEstimator:
    """The file of an estimator.

    Attributes:
        file: Its name.
        form: Its format.
        types: Names of the types that a reader of skops has to trust.
        runs_code: Why loading it runs code; empty for a safe one.
        notes: What the user should know about it.
    """

    file: str
    form: str
    types: tuple[str, ...] = ()
    runs_code: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        """Distributions that loading it needs, besides those of its types."""
        return () if self.form == PICKLE else (self.form,)


def write_estimator(
    folder: Path,
    held: pickles.Pickled,
    rules: Rules,
    wanted: str | None = None,
    trusted: Sequence[str] = (),
) -> WrittenEstimator:
    """Writes an estimator into a model directory.

    Args:
        folder: The directory.
        held: The estimator as it was.
        rules: Those of its library.
        wanted: The format that was asked for; None for the safest that holds it.
        trusted: Names of types that the user says are safe in skops.

    Raises:
        InvalidArgument: The format that was asked for cannot hold it.
        MissingExtra: skops was asked for, and is not installed.
    """
    note = ""
    if wanted in (None, SKOPS):
        file = folder / _FILES[SKOPS]
        try:
            types = write_skops(pickle.loads(held.data), file, rules, trusted)
            unsafe = type_reasons(types, rules)
            return WrittenEstimator(file.name, SKOPS, tuple(types), tuple(unsafe))
        except Refused as refused:
            if wanted == SKOPS:
                raise InvalidArgument(
                    f"the model cannot be saved as skops: {refused}; name the types in "
                    "skops_trusted_types if they are safe, or use "
                    "serialization_format='cloudpickle'"
                ) from refused
            file.unlink(missing_ok=True)
            note = f"saved with cloudpickle because {refused}"
        except MissingExtra:
            if wanted == SKOPS:
                raise
            note = "saved with cloudpickle because skops is not installed"
    form = wanted or CLOUDPICKLE
    (folder / _FILES[form]).write_bytes(held.data)
    reason = (f"it is a {form} file",)
    return WrittenEstimator(_FILES[form], form, (), reason, (note,) if note else ())


def read_estimator(
    folder: Path,
    model: Model,
    conf: Mapping[str, Any],
    field: str,
    rules: Rules,
    trust: bool | None,
    default: str = CLOUDPICKLE,
) -> Any:
    """Loads the estimator of a model directory, of autolog or of MLflow.

    Args:
        folder: The directory.
        model: Its manifest.
        conf: What the manifest says of the flavor.
        field: Which entry of it names the file.
        rules: Those of its library.
        trust: What the caller says; None leaves it to the settings and the seal.
        default: The format where the manifest names none.

    Raises:
        PermissionDenied: Loading it runs code, and nobody trusts it.
        InvalidArgument: The file is damaged.
        NotFound: It is missing.
        NotSupported: It is of an unknown format.
    """
    file = file_of(folder, conf, field)
    form = conf.get("serialization_format", default)
    if form not in FORMATS:
        raise NotSupported(f"{folder} is saved in the unknown format {form!r}")
    if form != SKOPS:
        with trusted_code(folder, model, conf, [f"it is a {form} file"], trust):
            return pickles.load(file)
    types, load = read_skops(file, rules)
    with trusted_code(folder, model, conf, type_reasons(types, rules), trust):
        return load()


def type_reasons(types: Sequence[str], rules: Rules) -> list[str]:
    """Returns why a skops file with such types runs code; nothing where all are safe."""
    unsafe = rules.untrusted(types)
    return [f"it holds types that are not known as safe: {', '.join(unsafe)}"] if unsafe else []
