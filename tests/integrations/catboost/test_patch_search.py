"""A search over params is one run, with a child run for each of the best candidates."""

import subprocess
import sys

import catboost as cb
import numpy as np
import pytest
from scipy.stats import uniform
from tests.integrations.catboost.patched import (
    SMALL,
    curve,
    datasets,
    diabetes,
    irises,
    load,
    models,
    only,
    rows,
    runs,
    skipped,
    text,
    tumours,
)

import autolog

QUICK = {name: value for name, value in SMALL.items() if name not in ("depth", "learning_rate")}
GRID = {"depth": [1, 2, 3], "learning_rate": [0.1, 0.4]}


@pytest.fixture(autouse=True)
def switched_on(tracking, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    autolog.catboost.autolog()
    yield
    autolog.catboost.autolog(disable=True)


def split(found=None):
    found = runs() if found is None else found
    parents = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in found if "mlflow.parentRunId" in run.data.tags]
    return parents, children


def test_b12_grid_search():
    train, _ = tumours()
    model = cb.CatBoostClassifier(**QUICK, iterations=6, custom_metric=["AUC"])
    result = model.grid_search(GRID, *train, cv=3, verbose=False)
    (parent,), children = split()
    assert parent.info.status == "FINISHED"
    assert parent.data.params["search_method"] == "grid_search"
    assert parent.data.params["search_cv"] == "3"
    assert parent.data.params["iterations"] == "6"
    assert "depth" not in parent.data.params
    for name, value in result["params"].items():
        assert parent.data.params[f"best_{name}"] == str(value)
    table = result["cv_results"]
    for key in ("test-Logloss-mean", "train-Logloss-std", "test-AUC-mean"):
        assert curve(parent, key) == dict(zip(table["iterations"], table[key], strict=True))
    written = [float(row["test-AUC-std"]) for row in rows(parent, "cv_results.csv")]
    assert written == list(table["test-AUC-std"])
    # The model that is fitted with the best params.
    values = model.get_evals_result()["learn"]["Logloss"]
    assert curve(parent, "learn-Logloss") == dict(enumerate(values))
    kept, step = models(parent)["model"]
    assert step == 5
    assert (load(kept).predict_proba(train[0]) == model.predict_proba(train[0])).all()
    assert "feature_importance_PredictionValuesChange" not in skipped(parent)
    assert set(datasets(parent)) == {("train", "learn")}
    # Five of the six candidates, the best first.
    assert len(children) == 5
    assert skipped(parent)["child runs of 1 candidates"] == "max_tuning_runs is 5"
    tried = rows(parent, "search_results.csv")
    assert [(row["depth"], row["learning_rate"]) for row in tried] == [
        (str(depth), str(rate)) for depth in (1, 2, 3) for rate in (0.1, 0.4)
    ]
    best = next(row for row in tried if row["rank"] == "1")
    assert best["depth"] == str(result["params"]["depth"])
    assert float(best["test-Logloss"]) == min(float(row["test-Logloss"]) for row in tried)
    for child in children:
        assert child.info.status == "FINISHED"
        assert child.info.start_time <= child.info.end_time
        row = next(
            row
            for row in tried
            if (row["depth"], row["learning_rate"])
            == (child.data.params["depth"], child.data.params["learning_rate"])
        )
        assert child.data.metrics == {
            key: float(row[key]) for key in ("test-Logloss", "test-AUC", "train-Logloss")
        }
        assert child.data.params["iterations"] == "6"
    ranks = [int(row["rank"]) for row in tried]
    assert sorted(ranks) == [1, 2, 3, 4, 5, 6]


def test_candidates_are_measured_as_catboost_says(capfd):
    features, labels = diabetes()
    model = cb.CatBoostRegressor(**QUICK, iterations=5)
    model.grid_search(GRID, features, labels, verbose=True, refit=False)
    (parent,), _ = split()
    assert not model.is_fitted()
    assert models(parent) == {}
    said = capfd.readouterr().out
    for row in rows(parent, "search_results.csv"):
        assert f"{row['candidate']}:\tloss: {float(row['test-RMSE']):.7f}" in said


def test_folds_of_each_candidate():
    autolog.catboost.autolog(max_tuning_runs=None)
    train, _ = tumours()
    model = cb.CatBoostClassifier(**QUICK, iterations=4)
    result = model.grid_search(GRID, *train, cv=2, search_by_train_test_split=False, verbose=False)
    (parent,), children = split()
    assert len(children) == 6
    for child in children:
        assert set(child.data.metrics) == {
            f"fold_{number}/{word}-Logloss" for number in (0, 1) for word in ("test", "train")
        }
    best = next(
        child
        for child in children
        if all(child.data.params[name] == str(value) for name, value in result["params"].items())
    )
    mean = np.mean([best.data.metrics[f"fold_{number}/test-Logloss"] for number in (0, 1)])
    assert mean == pytest.approx(result["cv_results"]["test-Logloss-mean"][-1], rel=1e-8)
    assert rows(parent, "search_results.csv")[0]["fold_1/test-Logloss"]


def test_randomized_search():
    autolog.catboost.autolog(max_tuning_runs=2)
    model = cb.CatBoostClassifier(**QUICK, iterations=3)
    result = model.randomized_search(
        {"learning_rate": uniform(0.1, 0.5), "depth": [1, 2]}, *irises(), n_iter=4, verbose=False
    )
    (parent,), children = split()
    assert parent.data.params["search_method"] == "randomized_search"
    assert parent.data.params["search_n_iter"] == "4"
    assert len(rows(parent, "search_results.csv")) == 4
    # The file tells of no draw, and CatBoost returns that of the best.
    best, other = sorted(children, key=lambda child: "learning_rate" not in child.data.params)
    assert best.data.params["learning_rate"] == str(result["params"]["learning_rate"])
    assert best.data.params["depth"] == str(result["params"]["depth"])
    assert best.data.metrics["test-MultiClass"] <= other.data.metrics["test-MultiClass"]
    assert "learning_rate" not in other.data.params
    assert "learning_rate of the candidates" in skipped(parent)
    assert [row["rank"] for row in rows(parent, "search_results.csv") if row["learning_rate"]] == [
        "1"
    ]


def test_several_grids():
    autolog.catboost.autolog(max_tuning_runs=0)
    model = cb.CatBoostClassifier(**QUICK, iterations=3)
    grids = [{"depth": [1, 2]}, {"learning_rate": [0.1, 0.3]}]
    model.grid_search(grids, *irises(), verbose=False)
    (parent,), children = split()
    assert children == []
    assert "depth" in parent.data.params["search_param_grid"]
    table = text(parent, "search_results.csv")
    assert table.startswith("candidate,rank,seconds,")


def test_nothing_is_made_up_where_nothing_is_written(tracking):
    # After such a search no other search of the process writes: it has one of its own.
    program = (
        "import catboost as cb, autolog\n"
        "from sklearn.datasets import load_iris\n"
        f"autolog.set_tracking_uri({str(tracking)!r})\n"
        "autolog.catboost.autolog()\n"
        "model = cb.CatBoostClassifier(iterations=3, thread_count=1, allow_writing_files=False)\n"
        "pool = cb.Pool(*load_iris(return_X_y=True))\n"
        "model.grid_search({'depth': [1, 2]}, pool, verbose=False)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    parent = only()
    assert "candidates" in skipped(parent)
    assert parent.data.params["best_depth"] in ("1", "2")
    assert models(parent)["model"][1] == 2


def test_a_search_that_fails():
    with pytest.raises(cb.CatBoostError):
        cb.CatBoostClassifier(**QUICK, iterations=3).grid_search({"loss_function": [1]}, *irises())
    run = only()
    assert run.info.status == "FAILED"
    assert skipped(run)["model"] == "the search failed"


def test_the_users_grid_is_as_catboost_leaves_it():
    grids = [{"max_depth": [1, 2], "eta": [0.1]} for _ in range(2)]
    for on, grid in zip((False, True), grids, strict=True):
        autolog.catboost.autolog(disable=not on)
        cb.CatBoostClassifier(**QUICK, iterations=2).grid_search(grid, *irises(), verbose=False)
    assert grids[0] == grids[1]


def test_in_a_run_of_the_users():
    with autolog.start_run() as user:
        cb.CatBoostClassifier(**QUICK, iterations=2).grid_search(
            {"depth": [1, 2]}, *irises(), verbose=False
        )
    (parent,), children = split()
    assert parent.info.run_id == user.info.run_id
    assert {child.data.tags["mlflow.parentRunId"] for child in children} == {parent.info.run_id}


@pytest.mark.filterwarnings("ignore:Setting a value on a Series")
def test_an_evaluation_of_features_makes_no_runs(tmp_path):
    from catboost.eval.catboost_evaluation import CatboostEvaluation

    (features, labels), _ = tumours(100)
    table = features.iloc[:, :4].assign(label=labels)
    table[["label", *features.columns[:4]]].to_csv("d.tsv", sep="\t", header=False, index=False)
    (tmp_path / "d.cd").write_text("0\tLabel\n")
    evaluation = CatboostEvaluation(
        "d.tsv", fold_size=30, fold_count=2, column_description="d.cd", partition_random_seed=0
    )
    found = evaluation.eval_features(
        {"iterations": 2, "loss_function": "Logloss", "verbose": False, "logging_level": None},
        features_to_eval=[1], loss_function="Logloss",
    )  # fmt: skip
    assert found is not None
    assert runs() == []
