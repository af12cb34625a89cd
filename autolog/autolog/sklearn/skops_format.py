"""Which types of scikit-learn's skops files are known as safe to load."""

from __future__ import annotations

from autolog_core.models.skops_files import Rules

# Written in Python alone: what a file says of them is only ever attributes of an object. What
# follows numbers of the file in C (trees, neighbour indices, splines) is left to the user to trust.
RULES = Rules(
    safe=frozenset(
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
    ),
    libraries=frozenset(("numpy", "scipy", "sklearn")),
    extra="sklearn",
)
