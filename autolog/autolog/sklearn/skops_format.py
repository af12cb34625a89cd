"""Estimators as skops files, and which of their types are known as safe to load."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from autolog_core.errors import InvalidArgument, MissingExtra

# Written in Python alone: what a file says of them is only ever attributes of an object. What
# follows numbers of the file in C (trees, neighbour indices, splines) is left to the user to trust.
_SAFE = frozenset(
    (
        "numpy.dtype",
        "numpy.mean",
        "numpy.median",
        "sklearn._loss.loss.HalfTweedieLoss",
        "sklearn._loss.loss.HalfTweedieLossIdentity",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.cluster._bisect_k_means._BisectingTree",
        "sklearn.feature_selection._mutual_info.mutual_info_classif",
        "sklearn.feature_selection._mutual_info.mutual_info_regression",
        "sklearn.feature_selection._univariate_selection.chi2",
        "sklearn.feature_selection._univariate_selection.f_classif",
        "sklearn.feature_selection._univariate_selection.f_regression",
        "sklearn.feature_selection._univariate_selection.r_regression",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        *(
            f"sklearn.gaussian_process.kernels.{name}"
            for name in (
                *("CompoundKernel", "ConstantKernel", "DotProduct", "Exponentiation"),
                *("ExpSineSquared", "Hyperparameter", "Matern", "PairwiseKernel", "Product"),
                *("RBF", "RationalQuadratic", "Sum", "WhiteKernel"),
            )
        ),
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    )
)
_LIBRARIES = frozenset(("numpy", "scipy", "sklearn"))


class Refused(Exception):
    """skops cannot hold an estimator; the message says why."""


def untrusted_types(types: Iterable[str]) -> list[str]:
    """Returns those types of a file that are not known as safe."""
    return sorted(set(types) - _SAFE)


def write_skops(estimator: Any, file: Path, trusted: Sequence[str] = ()) -> list[str]:
    """Writes an estimator, and loads it once to see that it can be.

    Args:
        estimator: The estimator.
        file: Where to.
        trusted: Names of types of the user's own that are safe.

    Returns:
        Names of the types that a reader has to trust besides those of skops.

    Raises:
        Refused: skops cannot hold it, or it has types that are neither of scikit-learn, NumPy or
            SciPy nor named in `trusted`.
        MissingExtra: skops is not installed.
    """
    skops = _skops()
    try:
        skops.dump(estimator, file)
        types = sorted(skops.get_untrusted_types(file=file))
    except Exception as error:  # skops raises whatever the estimator's own methods do.
        raise Refused(f"skops cannot hold it ({_first_line(error)})") from error
    own = [name for name in types if name.partition(".")[0] not in _LIBRARIES]
    foreign = sorted(set(own) - set(trusted))
    if foreign:
        raise Refused(f"skops does not know {', '.join(foreign)}")
    try:
        skops.load(file, trusted=types)
    except Exception as error:  # As above.
        raise Refused(f"skops cannot load it again ({_first_line(error)})") from error
    return types


def read_skops(file: Path) -> tuple[list[str], Callable[[], Any]]:
    """Returns names of the types of a file that skops does not trust, and what loads it.

    Nothing of the file is loaded before that is called.

    Raises:
        InvalidArgument: It is no skops file.
        MissingExtra: skops is not installed.
    """
    skops = _skops()
    try:
        types = sorted(skops.get_untrusted_types(file=file))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError) as error:
        raise InvalidArgument(f"{file} is no skops file: {_first_line(error)}") from error
    return types, lambda: skops.load(file, trusted=types)


def _skops() -> Any:
    try:
        import skops.io
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "skops is needed for this model: pip install 'autolog-ml[sklearn]'"
        ) from error
    return skops.io


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
