"""What fitted estimators tell of their training: every number is the one that they hold."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.cluster import DBSCAN, AffinityPropagation, KMeans, MeanShift, MiniBatchKMeans
from sklearn.compose import TransformedTargetRegressor
from sklearn.covariance import EllipticEnvelope, GraphicalLasso
from sklearn.datasets import load_iris, make_regression
from sklearn.decomposition import NMF, DictionaryLearning, FactorAnalysis, LatentDirichletAllocation
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    ElasticNetCV,
    Lasso,
    LassoCV,
    LassoLarsCV,
    LassoLarsIC,
    LogisticRegression,
    RANSACRegressor,
    Ridge,
    RidgeCV,
    SGDClassifier,
)
from sklearn.manifold import TSNE
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC

from autolog.sklearn.extract_curves import read_story

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # The default of scikit-learn 1.5 is another algorithm.
    pytest.mark.filterwarnings("ignore:The SAMME.R algorithm:FutureWarning"),
]


@pytest.fixture(scope="module")
def iris():
    features, labels = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    return features[order], labels[order]


@pytest.fixture(scope="module")
def line():
    return make_regression(60, 6, n_informative=3, noise=5.0, random_state=0)


def values(story, key):
    return story.curves[key].values.tolist()


def network(**params):
    return MLPClassifier(hidden_layer_sizes=(4,), random_state=0, **params)


def test_the_loss_of_a_network(iris):
    fitted = network(max_iter=7).fit(*iris)
    story = read_story(fitted)
    assert values(story, "loss") == fitted.loss_curve_
    assert story.step == 6
    assert story.numbers == {"n_iter": 7, "best_loss": fitted.best_loss_}
    assert story.stopping == {}


def test_a_network_that_stops_early_is_of_its_best_iteration(iris):
    fitted = network(
        max_iter=60, early_stopping=True, n_iter_no_change=3, learning_rate_init=0.05
    ).fit(*iris)
    story = read_story(fitted)
    best = int(np.argmax(fitted.validation_scores_))
    last = len(fitted.loss_curve_) - 1
    assert 0 < best < last < 59
    assert values(story, "validation_score") == fitted.validation_scores_
    assert story.curves["validation_score"].held_out
    assert not story.curves["loss"].held_out
    assert story.step == best
    assert story.stopping == {"best_iteration": best, "stopped_iteration": last}
    assert story.numbers["best_validation_score"] == fitted.best_validation_score_
    assert story.numbers["best_loss"] == fitted.loss_curve_[best]


def test_a_network_without_iterations_of_its_own(iris):
    fitted = network(solver="lbfgs", max_iter=20).fit(*iris)
    story = read_story(fitted)
    assert story.curves == {}
    assert story.numbers["loss"] == fitted.loss_
    assert story.step == 0


def test_a_warm_start_tells_all_of_its_history(iris):
    fitted = network(max_iter=4, warm_start=True)
    for number in (1, 2, 3):
        fitted.fit(*iris)
        story = read_story(fitted)
        assert values(story, "loss") == fitted.loss_curve_
        assert story.step == 4 * number - 1
    boosted = GradientBoostingRegressor(n_estimators=3, warm_start=True, random_state=0).fit(*iris)
    before = boosted.train_score_.tolist()
    boosted.set_params(n_estimators=5).fit(*iris)
    assert values(read_story(boosted), "training_loss")[:3] == before
    assert read_story(boosted).step == 4


@pytest.mark.parametrize("kind", [GradientBoostingClassifier, GradientBoostingRegressor])
def test_gradient_boosting(iris, kind):
    fitted = kind(n_estimators=5, subsample=0.5, random_state=0).fit(*iris)
    story = read_story(fitted)
    assert values(story, "training_loss") == fitted.train_score_.tolist()
    assert values(story, "oob_loss") == fitted.oob_scores_.tolist()
    assert values(story, "oob_improvement") == fitted.oob_improvement_.tolist()
    assert "oob_score" not in story.numbers
    assert (story.step, story.stopping) == (4, {})


def test_gradient_boosting_that_stops_early(iris):
    fitted = GradientBoostingRegressor(n_estimators=200, n_iter_no_change=2, random_state=0)
    story = read_story(fitted.fit(*iris))
    assert fitted.n_estimators_ < 200
    assert story.stopping == {"stopped_iteration": fitted.n_estimators_ - 1}
    assert story.numbers["n_estimators"] == fitted.n_estimators_
    assert story.step == fitted.n_estimators_ - 1


@pytest.mark.parametrize("scoring", ["loss", "accuracy"])
def test_histogram_gradient_boosting(iris, scoring):
    fitted = HistGradientBoostingClassifier(
        max_iter=30, early_stopping=True, n_iter_no_change=2, scoring=scoring, random_state=0
    ).fit(*iris)
    story = read_story(fitted)
    # The first entry is of the ensemble before its first iteration.
    assert len(fitted.train_score_) == fitted.n_iter_ + 1
    assert values(story, "train_score") == fitted.train_score_.tolist()
    assert values(story, "validation_score") == fitted.validation_score_.tolist()
    best = int(np.argmax(fitted.validation_score_))
    assert story.stopping == {"best_iteration": best, "stopped_iteration": fitted.n_iter_}
    assert story.numbers["best_validation_score"] == max(fitted.validation_score_)
    assert story.step == fitted.n_iter_


def test_histogram_gradient_boosting_without_scores(iris):
    story = read_story(HistGradientBoostingClassifier(max_iter=2).fit(*iris))
    assert (story.curves, story.numbers, story.step) == ({}, {}, 0)


def test_adaptive_boosting_tells_of_the_estimators_that_it_needed(iris, line):
    perfect = AdaBoostClassifier(n_estimators=5, random_state=0).fit([[0], [1]] * 5, [0, 1] * 5)
    story = read_story(perfect)
    assert len(perfect.estimator_errors_) == 5
    assert values(story, "estimator_error") == [0.0]
    assert values(story, "estimator_weight") == [1.0]
    fitted = AdaBoostRegressor(n_estimators=5, random_state=0).fit(*line)
    assert values(read_story(fitted), "estimator_error") == fitted.estimator_errors_.tolist()


@pytest.mark.parametrize(
    ("estimator", "attribute", "key"),
    [
        (DictionaryLearning(2, max_iter=3, random_state=0), "error_", "error"),
        (FactorAnalysis(2), "loglike_", "loglike"),
        (BayesianRidge(compute_score=True), "scores_", "log_marginal_likelihood"),
        (ARDRegression(compute_score=True), "scores_", "objective"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseEstimator) else value,
)
def test_one_value_per_iteration(line, estimator, attribute, key):
    story = read_story(estimator.fit(*line))
    held = np.asarray(getattr(estimator, attribute))
    assert values(story, key) == held.tolist()
    assert story.step == len(held) - 1 > 0
    assert story.numbers["n_iter"] == estimator.n_iter_


def test_the_costs_of_a_graphical_lasso(line):
    fitted = GraphicalLasso(alpha=0.05).fit(line[0] / 10)
    story = read_story(fitted)
    assert values(story, "objective") == [cost for cost, _ in fitted.costs_]
    assert values(story, "dual_gap") == [gap for _, gap in fitted.costs_]


def test_a_mixture(iris):
    fitted = GaussianMixture(2, random_state=0).fit(iris[0])
    story = read_story(fitted)
    if hasattr(fitted, "lower_bounds_"):
        assert values(story, "lower_bound") == list(fitted.lower_bounds_)
    else:
        assert story.numbers["lower_bound"] == fitted.lower_bound_
    assert story.numbers["converged"] == 1
    assert story.numbers["n_iter"] == fitted.n_iter_


@pytest.mark.parametrize("estimator", [LassoCV(cv=3), LassoLarsCV(cv=3)])
def test_errors_along_a_path_are_means_over_the_folds(line, estimator):
    fitted = estimator.fit(*line)
    story = read_story(fitted)
    grid_name = "cv_alphas" if isinstance(estimator, LassoLarsCV) else "alphas"
    grid = getattr(fitted, f"{grid_name}_")
    assert values(story, "mse_path") == fitted.mse_path_.mean(axis=1).tolist()
    assert values(story, grid_name) == grid.tolist()
    assert grid[story.step] == fitted.alpha_ == story.numbers["alpha"]
    assert story.step == int(np.argmin(fitted.mse_path_.mean(axis=1)))


def test_a_criterion_along_a_path(line):
    fitted = LassoLarsIC().fit(*line)
    story = read_story(fitted)
    assert values(story, "criterion") == fitted.criterion_.tolist()
    assert story.step == int(np.argmin(fitted.criterion_))


def test_a_path_for_each_of_several_ratios_is_left_out(line):
    story = read_story(ElasticNetCV(l1_ratio=[0.2, 0.8], cv=2, alphas=[0.1, 1.0]).fit(*line))
    assert story.curves == {}
    assert {"alpha", "l1_ratio"} <= set(story.numbers)


@pytest.mark.parametrize(
    ("estimator", "names"),
    [
        (KMeans(3, n_init=1), {"inertia", "n_iter"}),
        (MiniBatchKMeans(3, n_init=1), {"inertia", "n_iter", "n_steps"}),
        (MeanShift(), {"n_iter", "n_clusters"}),
        (NMF(2, max_iter=5, init="nndsvda"), {"reconstruction_err", "n_iter", "n_components"}),
        (LatentDirichletAllocation(2, max_iter=2), {"bound", "n_iter"}),
        (TSNE(init="random", perplexity=5), {"kl_divergence", "n_iter"}),
        (IsolationForest(n_estimators=5), {"offset"}),
        (EllipticEnvelope(random_state=0), {"offset"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_final_numbers_without_labels(iris, estimator, names):
    fitted = estimator.fit(iris[0][:60])
    story = read_story(fitted)
    assert set(story.numbers) == names
    for name in names - {"n_clusters"}:
        assert story.numbers[name] == getattr(fitted, f"{name}_")


@pytest.mark.parametrize(
    ("estimator", "names"),
    [
        (Lasso(), {"dual_gap", "n_iter"}),
        (RidgeCV(), {"alpha", "best_score"}),
        (GaussianProcessRegressor(), {"log_marginal_likelihood_value"}),
        (Ridge(), set()),
        (RANSACRegressor(random_state=0), {"n_trials"}),
        (SGDClassifier(max_iter=5), {"n_iter"}),
        (RandomForestClassifier(5, oob_score=False), set()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_final_numbers(iris, estimator, names):
    assert set(read_story(estimator.fit(*iris)).numbers) == names


def test_of_several_numbers_of_iterations_the_longest(iris):
    fitted = SVC().fit(*iris)
    assert len(fitted.n_iter_) == 3
    assert read_story(fitted).numbers["n_iter"] == max(fitted.n_iter_)
    fitted = LogisticRegression(max_iter=5).fit(*iris)
    assert read_story(fitted).numbers["n_iter"] == 5


@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores")
def test_the_oob_score_of_a_forest(iris):
    fitted = RandomForestClassifier(8, oob_score=True, random_state=0).fit(*iris)
    assert read_story(fitted).numbers == {"oob_score": fitted.oob_score_}


def test_the_number_of_clusters_that_were_found(iris):
    fitted = DBSCAN(eps=0.4).fit(iris[0])
    numbers = read_story(fitted).numbers
    assert numbers["n_clusters"] == len(set(fitted.labels_) - {-1})
    assert numbers["n_noise"] == (fitted.labels_ == -1).sum() > 0
    fitted = AffinityPropagation(random_state=0).fit(iris[0][:40])
    assert read_story(fitted).numbers["n_clusters"] == len(fitted.cluster_centers_indices_)


def test_of_a_pipeline_the_last_step(iris):
    pipeline = make_pipeline(StandardScaler(), network(max_iter=3)).fit(*iris)
    assert values(read_story(pipeline), "loss") == pipeline[-1].loss_curve_
    assert read_story(make_pipeline(StandardScaler(), "passthrough").fit(*iris)).curves == {}


def test_of_a_search_the_best_estimator(iris):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), network(max_iter=3)),
        {"mlpclassifier__alpha": [0.1, 1.0]},
        cv=2,
    ).fit(*iris)
    story = read_story(search)
    assert values(story, "loss") == search.best_estimator_[-1].loss_curve_
    assert "best_score" not in story.numbers
    unrefitted = GridSearchCV(Ridge(), {"alpha": [1, 2]}, refit=False).fit(*iris)
    assert read_story(unrefitted).numbers == {}


def test_of_what_wraps_an_estimator_the_one_inside(iris, line):
    inside = MLPRegressor(hidden_layer_sizes=(3,), max_iter=3, random_state=0)
    fitted = TransformedTargetRegressor(inside, transformer=StandardScaler()).fit(*line)
    assert values(read_story(fitted), "loss") == fitted.regressor_.loss_curve_
    features, labels = iris
    partly = np.where(np.arange(len(labels)) % 5 == 0, -1, labels)
    fitted = SelfTrainingClassifier(network(max_iter=3)).fit(features, partly)
    story = read_story(fitted)
    assert "loss" in story.curves
    assert story.numbers["n_iter"] == fitted.n_iter_


def test_of_an_ensemble_the_template_does_not_count(iris):
    template = network(max_iter=2).fit(*iris)
    fitted = AdaBoostClassifier(LogisticRegression(max_iter=3), n_estimators=2).fit(*iris)
    fitted.estimator_ = template
    assert set(read_story(fitted).curves) == {"estimator_error", "estimator_weight"}


class Own(ClassifierMixin, BaseEstimator):
    """An estimator of a user."""

    def __init__(self, **held):
        self.__dict__.update(held)


def test_b17_an_estimator_of_the_users():
    story = read_story(
        Own(
            loss_curve_=[3.0, 2.0, 1.0],
            losses_=np.array([1, 2]),
            val_loss_=(5.0, 4.0, 3.0, 2.0),
            errors_=[4, 2],
            cost_=[9.0, 8.0],
            final_loss_=0.5,
            n_iter_=3,
        )
    )
    assert values(story, "loss") == [3.0, 2.0, 1.0]
    assert values(story, "losses") == [1.0, 2.0]
    assert values(story, "val_loss") == [5.0, 4.0, 3.0, 2.0]
    assert values(story, "errors") == [4.0, 2.0]
    assert values(story, "cost") == [9.0, 8.0]
    assert story.numbers == {"final_loss": 0.5, "n_iter": 3}
    assert story.step == 3
    assert {key for key, curve in story.curves.items() if curve.held_out} == {"val_loss"}


def test_values_per_row_of_the_users_estimator_are_no_curve():
    scores = np.zeros(150)
    story = read_story(
        Own(decision_scores_=scores, errors_=scores, scores_=scores, loss_matrix_=np.eye(3))
    )
    assert (story.curves, story.numbers) == ({}, {})


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "text",
        [],
        np.array([]),
        ["a", "b"],
        [None, 1.0],
        [[1.0], [1.0, 2.0]],
        [[1.0, 2.0]],
        np.array([1 + 2j]),
        np.array(["a"]),
        np.array([object()]),
        {"a": 1},
        [object()],
        [True, False],
        1 + 2j,
        object(),
    ],
    ids=repr,
)
def test_odd_values_are_left_out(odd):
    held = dict.fromkeys(("loss_curve_", "n_iter_", "mse_path_", "alphas_", "labels_"), odd)
    story = read_story(Own(history_=odd, evals_result_=odd, my_losses_=odd, errors_=odd, **held))
    assert (story.curves, story.numbers, story.step) == ({}, {}, 0)


def test_nan_and_infinity_are_kept():
    story = read_story(Own(loss_curve_=[float("nan"), float("inf"), 1.0]))
    assert np.array_equal(story.curves["loss"].values, [np.nan, np.inf, 1.0], equal_nan=True)


def test_scores_that_are_no_numbers_have_a_best_all_the_same():
    held = {"early_stopping": True, "coefs_": [], "loss_curve_": [1.0, 2.0]}
    story = read_story(Own(validation_scores_=[np.nan, 0.5], **held))
    assert story.stopping["best_iteration"] == 1
    story = read_story(Own(validation_scores_=[np.nan, np.nan], **held))
    assert story.stopping["best_iteration"] == 0


def test_the_history_of_a_network_behind_this_interface():
    keras_like = {"loss": [2.0, 1.0], "val_loss": [3.0, 2.5]}
    story = read_story(Own(history_=keras_like))
    assert {key: curve.values.tolist() for key, curve in story.curves.items()} == keras_like
    rows = [
        {
            "epoch": 1,
            "train_loss": 2.0,
            "valid_loss": 3.0,
            "batches": [{}],
            "valid_loss_best": True,
        },
        {
            "epoch": 2,
            "train_loss": 1.0,
            "valid_loss": 4.0,
            "batches": [{}],
            "valid_loss_best": False,
        },
    ]
    story = read_story(Own(history_=rows))
    assert values(story, "train_loss") == [2.0, 1.0]
    assert set(story.curves) == {"train_loss", "valid_loss"}
    assert story.curves["valid_loss"].held_out
    assert story.step == 1


def test_no_property_is_evaluated():
    class Costly(RegressorMixin, BaseEstimator):
        @property
        def loss_curve_(self):
            raise AssertionError("evaluated")

        n_iter_ = loss_curve_
        feature_importances_ = loss_curve_

        def __getattr__(self, name):
            raise AssertionError(f"looked up {name}")

    assert read_story(Costly()).curves == {}


def test_an_estimator_without_attributes():
    class Bare:
        __slots__ = ()

    assert read_story(Bare()).curves == {}
    assert read_story(None).curves == {}


def test_what_is_read_is_a_copy(iris):
    fitted = GradientBoostingRegressor(n_estimators=2).fit(*iris)
    story = read_story(fitted)
    fitted.train_score_[:] = 0
    assert 0 not in values(story, "training_loss")


@pytest.fixture
def booster_pipeline(iris):
    def fit(model, **passed):
        features, labels = iris
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return make_pipeline(StandardScaler(), model).fit(
                features[:100], labels[:100], **passed
            )

    return fit


def test_xgboost_in_a_pipeline(iris, booster_pipeline):
    xgboost = pytest.importorskip("xgboost")
    held_out = [(iris[0][100:], iris[1][100:])]
    model = xgboost.XGBClassifier(
        n_estimators=30, max_depth=2, early_stopping_rounds=2, eval_metric=["merror", "mlogloss"]
    )
    fitted = booster_pipeline(model, xgbclassifier__eval_set=held_out)
    story = read_story(fitted)
    result = model.evals_result()["validation_0"]
    assert values(story, "validation_0-mlogloss") == result["mlogloss"]
    assert story.step == model.best_iteration < len(result["mlogloss"]) - 1
    assert story.stopping == {
        "best_iteration": model.best_iteration,
        "stopped_iteration": len(result["mlogloss"]) - 1,
    }
    assert story.numbers["best_validation_0-merror"] == result["merror"][model.best_iteration]
    model = xgboost.XGBClassifier(n_estimators=3, eval_metric="ndcg@3")
    story = read_story(Own(evals_result_={"validation_0": {"ndcg@3": [0.5, 0.6]}}))
    assert values(story, "validation_0-ndcg_at_3") == [0.5, 0.6]


def test_xgboost_without_early_stopping(iris, booster_pipeline):
    xgboost = pytest.importorskip("xgboost")
    model = xgboost.XGBClassifier(n_estimators=3, max_depth=2)
    fitted = booster_pipeline(model, xgbclassifier__eval_set=[iris])
    story = read_story(fitted)
    assert (story.step, story.stopping) == (2, {})


def test_lightgbm_in_a_pipeline(iris, booster_pipeline):
    lightgbm = pytest.importorskip("lightgbm")
    held_out = [(iris[0][100:], iris[1][100:])]
    model = lightgbm.LGBMClassifier(n_estimators=40, min_child_samples=5, verbose=-1)
    fitted = booster_pipeline(
        model,
        lgbmclassifier__eval_set=held_out,
        lgbmclassifier__callbacks=[lightgbm.early_stopping(2, verbose=False)],
    )
    story = read_story(fitted)
    result = model.evals_result_["valid_0"]["multi_logloss"]
    assert values(story, "valid_0-multi_logloss") == result
    assert story.stopping["best_iteration"] == model.best_iteration_ - 1
    assert story.numbers["best_valid_0-multi_logloss"] == result[model.best_iteration_ - 1]
    assert story.step == model.best_iteration_ - 1


def test_a_hint_of_no_convergence_is_no_matter(iris):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = LogisticRegression(max_iter=1).fit(*iris)
    assert read_story(fitted).numbers == {"n_iter": 1}
