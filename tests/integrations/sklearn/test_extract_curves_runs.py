"""Learning curves in runs: at their steps, linked to their data, and those of the model kept."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import autolog
from autolog_core.session import default_session

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.sklearn.autolog()
    yield
    autolog.sklearn.autolog(disable=True)


@pytest.fixture(scope="module")
def iris():
    features, labels = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    return features[order], labels[order]


def network(**params):
    return MLPClassifier(hidden_layer_sizes=(4,), random_state=0, **params)


def runs():
    found = default_session().read().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def only():
    (run,) = runs()
    return run


def points(run, key):
    return autolog.MlflowClient().get_metric_history(run.info.run_id, key)


def history(run, key):
    return [(point.step, point.value) for point in points(run, key)]


def model_metrics(run):
    (output,) = run.outputs.model_outputs
    logged = autolog.get_logged_model(output.model_id)
    return output.step, {metric.key: metric.value for metric in logged.metrics}


def test_b17_the_curve_of_a_network_and_the_metrics_of_its_last_iteration(iris):
    fitted = network(max_iter=6).fit(*iris)
    run = only()
    assert history(run, "loss") == list(enumerate(fitted.loss_curve_))
    assert run.data.metrics["loss"] == fitted.loss_
    step, metrics = model_metrics(run)
    assert step == 5
    assert metrics["loss"] == fitted.loss_curve_[-1] != fitted.loss_curve_[0]
    assert metrics["training_score"] == run.data.metrics["training_score"]
    assert metrics["n_iter"] == 6


def test_a_network_that_stops_early_is_kept_with_the_metrics_of_its_best_iteration(iris):
    fitted = network(
        max_iter=60, early_stopping=True, n_iter_no_change=3, learning_rate_init=0.05
    ).fit(*iris)
    run = only()
    best = int(np.argmax(fitted.validation_scores_))
    assert history(run, "validation_score") == list(enumerate(fitted.validation_scores_))
    step, metrics = model_metrics(run)
    assert step == best < len(fitted.loss_curve_) - 1
    assert metrics["validation_score"] == fitted.best_validation_score_
    assert metrics["best_loss"] == fitted.loss_curve_[best]
    assert history(run, "best_iteration") == [(0, best)]
    assert history(run, "stopped_iteration") == [(0, len(fitted.loss_curve_) - 1)]


def test_b17_gradient_boosting(iris):
    fitted = GradientBoostingClassifier(n_estimators=4, subsample=0.5, random_state=0).fit(*iris)
    run = only()
    assert history(run, "training_loss") == list(enumerate(fitted.train_score_))
    assert history(run, "oob_loss") == list(enumerate(fitted.oob_scores_))
    assert model_metrics(run)[0] == 3


def test_b17_histogram_gradient_boosting(iris):
    fitted = HistGradientBoostingClassifier(max_iter=5, early_stopping=True, random_state=0).fit(
        *iris
    )
    run = only()
    assert history(run, "train_score") == list(enumerate(fitted.train_score_))
    assert history(run, "validation_score") == list(enumerate(fitted.validation_score_))


def test_curves_on_the_training_data_are_linked_to_it(iris):
    network(max_iter=20, early_stopping=True).fit(*iris)
    run = only()
    (use,) = run.inputs.dataset_inputs
    assert {point.dataset_digest for point in points(run, "loss")} == {use.dataset.digest}
    assert {point.dataset_digest for point in points(run, "validation_score")} == {None}


def test_b17_each_fit_of_a_warm_start_is_a_run_with_the_whole_curve(iris):
    fitted = network(max_iter=3, warm_start=True)
    fitted.fit(*iris)
    first = fitted.loss_curve_.copy()
    fitted.fit(*iris)
    found = [history(run, "loss") for run in runs()]
    assert sorted(found, key=len) == [list(enumerate(first)), list(enumerate(fitted.loss_curve_))]
    assert sorted(model_metrics(run)[0] for run in runs()) == [2, 5]


def test_of_a_search_over_pipelines_the_best_network(iris):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), network(max_iter=3)),
        {"mlpclassifier__alpha": [0.1, 1.0]},
        cv=2,
    ).fit(*iris)
    (run,) = [each for each in runs() if "mlflow.parentRunId" not in each.data.tags]
    assert history(run, "loss") == list(enumerate(search.best_estimator_[-1].loss_curve_))
    assert {output.step for output in run.outputs.model_outputs} == {2}


def test_v17_two_fits_in_one_run_do_not_mix_their_curves(iris):
    with autolog.start_run():
        one = network(max_iter=3).fit(*iris)
        other = network(max_iter=5, alpha=0.5).fit(*iris)
    for run in runs():
        fitted = one if run.data.params["max_iter"] == "3" else other
        assert run.data.params["alpha"] == str(fitted.alpha)
        assert history(run, "loss") == list(enumerate(fitted.loss_curve_))


def test_p5_clusters(iris):
    fitted = KMeans(3, n_init=1, random_state=0).fit(iris[0])
    run = only()
    assert run.data.metrics == {"inertia": fitted.inertia_, "n_iter": fitted.n_iter_}
    assert len(run.outputs.model_outputs) == 1


def test_without_a_curve_everything_is_at_step_0(iris):
    Ridge().fit(*iris)
    run = only()
    assert {step for key in run.data.metrics for step, _ in history(run, key)} == {0}
    assert model_metrics(run)[0] == 0


class Own(ClassifierMixin, BaseEstimator):
    """An estimator of a user."""

    def __init__(self, losses=()):
        self.losses = losses

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.losses_ = self.losses
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_b16_b17_an_estimator_of_the_users(iris):
    Own([3.0, float("nan"), 1.0]).fit(*iris)
    run = only()
    assert [step for step, _ in history(run, "losses")] == [0, 1, 2]
    assert np.array_equal(
        [value for _, value in history(run, "losses")], [3.0, np.nan, 1.0], equal_nan=True
    )
    step, metrics = model_metrics(run)
    assert step == 2
    assert metrics["training_score"] == pytest.approx(1 / 3)


def test_a_very_long_curve(iris):
    Own(np.arange(300_000.0)).fit(*iris)
    summary = only().data.summaries["losses"]
    assert (summary.points, summary.minimum, summary.maximum) == (300_000, 0, 299_999)
