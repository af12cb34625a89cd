"""What data are called, which part of which split they are, and what belongs to which model."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

import autolog
from autolog.instrument import control, lineage
from autolog.instrument.lineage_records import models
from autolog_core.session import default_session

FEATURES, LABELS = load_iris(return_X_y=True)
FRAME = load_iris(as_frame=True)


@pytest.fixture(autouse=True)
def switched_on(tracking):
    lineage.forget()
    autolog.sklearn.autolog(log_models=False)
    yield
    autolog.sklearn.autolog(disable=True)


def runs():
    found = default_session().read().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def keys(number=0):
    return {key for key in runs()[number].data.metrics if not key.startswith("training_")}


def halves(seed=0):
    return train_test_split(FEATURES, LABELS, random_state=seed)


def inputs(number=0):
    return [
        {tag.key: tag.value for tag in use.tags} for use in runs()[number].inputs.dataset_inputs
    ]


# names


X_GLOBAL = FEATURES[::2].copy()


def test_a_global_variable_in_a_function():
    model = GaussianNB().fit(FEATURES, LABELS)

    def evaluate():
        return metrics.accuracy_score(LABELS[::2], model.predict(X_GLOBAL))

    evaluate()
    assert keys() == {"accuracy_score_X_GLOBAL"}


def test_arguments_of_functions():
    X_train, X_test, y_train, y_test = halves()
    model = GaussianNB().fit(X_train, y_train)

    def evaluate(estimator, data, target):
        q = estimator.predict(data)
        return metrics.accuracy_score(target, q)

    evaluate(model, X_test, y_test)
    assert keys() == {"accuracy_score_X_test"}


def test_data_that_only_a_function_knew():
    model = GaussianNB().fit(FEATURES, LABELS)

    def predict():
        X_hidden = FEATURES[:60].copy()
        return model.predict(X_hidden)

    metrics.accuracy_score(LABELS[:60], predict())
    assert keys() == {"accuracy_score_X_hidden"}
    assert inputs() == [{"mlflow.data.context": "train"}]


def test_temporary_data_are_called_as_in_the_source():
    X, y = FRAME.data, FRAME.target
    scaler = StandardScaler().fit(X.to_numpy())
    model = GaussianNB().fit(X.to_numpy(), y)
    metrics.accuracy_score(y.to_numpy(), model.predict(scaler.transform(X.to_numpy())))
    metrics.f1_score(y.to_numpy(), model.predict(X[X.columns].to_numpy()), average="macro")
    # They are not the same data for certain.
    assert keys() == {"accuracy_score_X", "f1_score_X-2"}


def test_temporary_rows_of_an_array():
    X, y = FEATURES.copy(), LABELS
    model = GaussianNB().fit(X, y)
    for _ in range(2):
        metrics.accuracy_score(y[100:], model.predict(X[100:]))
    model.score(X[100:], y[100:])
    rest = X[100:].copy()
    model.score(rest, y[100:])
    assert keys() == {
        "accuracy_score_X",
        "accuracy_score-2_X",
        "GaussianNB_score_X",
        "GaussianNB_score-2_rest",
    }
    client, run = autolog.MlflowClient(), runs()[0]
    digests = {client.get_metric_history(run.info.run_id, key)[0].dataset_digest for key in keys()}
    assert len(digests) == 1
    assert None not in digests


def test_a_name_where_there_is_no_source():
    model = GaussianNB().fit(FEATURES, LABELS)
    space = {"model": model, "X": FEATURES.copy(), "y": LABELS.copy(), "metrics": metrics}
    exec("metrics.accuracy_score(y[:60], model.predict(X[:60]))", space)
    exec("metrics.f1_score(y[:60], model.predict((X + 0)[:60]), average='macro')", space)
    assert keys() == {"accuracy_score_X", "f1_score_unknown_dataset"}


def test_a_list_of_rows():
    rows = FEATURES.tolist()
    model = GaussianNB().fit(FEATURES, LABELS)
    metrics.accuracy_score(LABELS, model.predict(rows))
    model.score(rows, LABELS)
    other = FEATURES.tolist()
    model.score(other, LABELS)
    assert keys() == {
        "accuracy_score_rows",
        "GaussianNB_score_rows",
        "GaussianNB_score-2_other",
    }


# splits


def test_b18_held_out_data_are_known():
    X_train, X_test, y_train, y_test = halves()
    model = GaussianNB().fit(X_train, y_train)
    metrics.accuracy_score(y_test, model.predict(X_test))
    assert inputs() == [
        {"mlflow.data.context": "train"},
        {"mlflow.data.context": "eval", "autolog.split": "test"},
    ]
    assert "autolog.notice" not in runs()[0].data.tags


def test_b18_labels_tell_which_data_a_prediction_was_made_of():
    X_train, X_test, y_train, y_test = halves()
    model = GaussianNB().fit(X_train, y_train)
    metrics.accuracy_score(y_test, model.predict(np.array(X_test.tolist())))
    metrics.f1_score(y_test.ravel(), model.predict(X_test + 0), average="macro")
    assert keys() == {"accuracy_score_X_test", "f1_score_X_test"}
    assert inputs()[1] == {"mlflow.data.context": "eval", "autolog.split": "test"}


def test_b18_frames():
    X_train, X_test, y_train, y_test = train_test_split(FRAME.data, FRAME.target, random_state=0)
    model = GaussianNB().fit(X_train, y_train)
    metrics.accuracy_score(y_test, list(model.predict(X_test)))
    model.score(X_test, y_test)
    assert keys() == {"accuracy_score_X_test", "GaussianNB_score_X_test"}
    assert inputs()[1] == {"mlflow.data.context": "eval", "autolog.split": "test"}


def test_b18_data_that_were_transformed():
    X_train, X_test, y_train, y_test = halves()
    scaler = StandardScaler().fit(X_train)
    scaled = scaler.transform(X_test)
    model = GaussianNB().fit(scaler.transform(X_train), y_train)
    model.score(scaled, y_test)
    assert keys() == {"GaussianNB_score_scaled"}
    assert inputs()[1] == {"mlflow.data.context": "eval", "autolog.split": "test"}


def test_b18_training_on_what_is_held_out():
    X, y = FEATURES.copy(), LABELS
    _, X_test, _, y_test = train_test_split(X, y, random_state=0)
    model = GaussianNB().fit(X, y)
    model.score(X_test, y_test)
    model.score(X_test, y_test)
    assert runs()[0].data.tags["autolog.notice"] == (
        "X_test: the model was trained on the data that this test part was split from"
    )
    GaussianNB().fit(X_test, y_test).score(X_test, y_test)
    assert "trained on this test part" in runs()[1].data.tags["autolog.notice"]


def test_b18_splits_of_splits():
    X_train, X_test, y_train, y_test = halves()
    X_fit, X_val, y_fit, y_val = train_test_split(X_train, y_train, random_state=0)
    first = GaussianNB().fit(X_fit, y_fit)
    first.score(X_val, y_val)
    first.score(X_test, y_test)
    second = GaussianNB().fit(X_train, y_train)
    second.score(X_test, y_test)
    second.score(X_val, y_val)
    GaussianNB().fit(FEATURES, LABELS).score(X_val, y_val)
    notices = [run.data.tags.get("autolog.notice") for run in runs()]
    assert notices[0] is None
    assert notices[2] is not None
    assert notices[1] is not None
    assert notices[1].startswith("X_val: ")


def test_b18_rows_in_common():
    X, y = FEATURES[:, :].copy(), LABELS
    GaussianNB().fit(X[:120], y[:120]).score(X[100:], y[100:])
    GaussianNB().fit(X[:120], y[:120]).score(X[120:], y[120:])
    GaussianNB().fit(X[:120], y[:120]).score(X[:120], y[:120])
    X_train, _, y_train, _ = train_test_split(X, y, random_state=0)
    GaussianNB().fit(X_train, y_train).score(X, y)
    GaussianNB().fit(X_train, y_train).score(X_train, y_train)
    told = ["autolog.notice" in run.data.tags for run in runs()]
    assert told == [True, False, False, True, False]


def test_what_is_split_is_what_it_was():
    values = list(range(10))
    train, test = train_test_split(values, random_state=0)
    assert sorted(train + test) == values
    with pytest.raises(ValueError, match="At least one array"):
        train_test_split()


# trainings that go on


def test_metrics_of_a_training_that_goes_on_are_a_curve():
    X_train, X_test, y_train, y_test = halves()
    with autolog.start_run() as run:
        model = GaussianNB().fit(X_train, y_train)
        live = models.get(model).live
        for step in (1, 2, 3):
            with autolog.disabled():
                model.partial_fit(X_train, y_train)
            lineage.trained(model, live, None, step=step)
            model.score(X_test, y_test)
        model.score(X_test, y_test)
    client = autolog.MlflowClient()
    history = client.get_metric_history(run.info.run_id, "GaussianNB_score_X_test")
    assert [each.step for each in history] == [1, 2, 3]
    (again,) = client.get_metric_history(run.info.run_id, "GaussianNB_score-2_X_test")
    assert again.step == 3


def test_a_loop_makes_no_flood():
    model = GaussianNB().fit(FEATURES, LABELS)
    p = model.predict(FEATURES)
    for _ in range(1005):
        metrics.accuracy_score(LABELS, p)
    assert len(keys()) == 1000
    assert "calls beyond 1000 are not logged" in runs()[0].data.tags["autolog.notice"]


def test_the_integration_that_trained_the_model_has_to_be_on():
    X_train, X_test, y_train, y_test = halves()
    model = GaussianNB().fit(X_train, y_train)
    models.get(model).integration = "xgboost"
    assert control.options_of("xgboost") is None
    model.score(X_test, y_test)
    assert keys() == set()


def test_transformers_that_were_trained():
    X = FEATURES
    model = PCA(2).fit(X)
    reduced = model.transform(X)
    metrics.silhouette_score(reduced, LABELS)
    assert "silhouette_score_X" in keys()


def test_a_model_of_a_store_that_was_left_is_measured_in_peace(tmp_path):
    model = GaussianNB().fit(FEATURES, LABELS)
    autolog.set_tracking_uri(tmp_path / "elsewhere")
    with autolog.start_run():
        predicted = model.predict(FEATURES)
        assert metrics.accuracy_score(LABELS, predicted) == model.score(FEATURES, LABELS)
    assert runs()[0].data.metrics == {}
