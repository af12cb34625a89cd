"""References to the data of a training: arrays, frames, Pools; and what is held of it."""

import gc
import threading
import weakref

import catboost as cb
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from catboost import Pool
from tests.integrations.catboost.patched import (
    BINARY,
    QUIET,
    datasets,
    load,
    models,
    only,
    runs,
    skipped,
    tumours,
    wines,
)

import autolog
from autolog.catboost import pools
from autolog_core.data import digest_of


@pytest.fixture(autouse=True)
def switched_on(tracking, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    autolog.catboost.autolog()
    yield
    autolog.catboost.autolog(disable=True)


def fit(*data, **passed):
    return cb.CatBoostClassifier(**QUIET, iterations=2).fit(*data, **passed)


def test_names_digests_and_contexts():
    train, test = tumours()
    other = (test[0][:50], test[1][:50])
    fit(*train, eval_set=[test, Pool(*other)])
    found = datasets(only())
    assert {key: dataset.digest for key, dataset in found.items()} == {
        ("train", "learn"): digest_of(*train).text,
        ("eval", "validation_0"): digest_of(*test).text,
        ("eval", "validation_1"): digest_of(*other).text,
    }
    assert "mean radius" in found["eval", "validation_1"].schema


def test_the_same_data_as_array_and_in_a_pool():
    (features, labels), _ = tumours(as_frame=False)
    fit(features, labels)
    fit(Pool(features, labels))
    first, second = (datasets(run)["train", "learn"] for run in runs())
    assert first.digest == second.digest
    assert first.schema == second.schema


def test_a_pool_of_data_that_is_gone():
    train, test = tumours()
    expected = digest_of(*train).text, digest_of(*test).text
    pool, held_out = Pool(*(each.copy() for each in train)), Pool(test[0].copy(), test[1])
    gc.collect()
    model = fit(pool, eval_set=held_out)
    found = datasets(only())
    assert found["train", "learn"].digest == expected[0]
    assert found["eval", "validation"].digest == expected[1]
    kept, _ = models(only())["model"]
    signature = autolog.models.get_model_info(f"models:/{kept.model_id}").signature
    assert signature.inputs.input_names() == list(train[0].columns)
    assert (load(kept).predict_proba(test[0]) == model.predict_proba(test[0])).all()


def test_a_reference_is_to_what_the_pool_holds():
    (features, labels), _ = tumours(as_frame=False)
    before = digest_of(features, labels).text
    pool = Pool(features, labels)
    features[:] = 0
    fit(pool)
    assert datasets(only())["train", "learn"].digest == before


def test_nothing_of_large_data_is_held():
    features = pd.DataFrame(np.random.default_rng(0).normal(size=(50_000, 30)))
    labels = pd.Series(features[0] > 0).astype(int)
    watched = [weakref.ref(features), weakref.ref(labels)]
    # CatBoost itself holds the columns of a frame; copies of five rows are no part of these.
    pool = Pool(features.to_numpy().copy(), labels.to_numpy())
    rows = pools.rows_of(pool)
    assert rows.shape == (5, 30)
    assert rows.base is None
    del features, labels
    gc.collect()
    assert [reference() for reference in watched] == [None, None]


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_rows_of_frames_share_nothing(kind):
    features = kind({"a": np.arange(1000.0), "b": np.arange(1000.0) * 2})
    rows = pools._detached(features[:5])
    assert type(rows) is kind
    assert list(rows.columns) == ["a", "b"]
    shared = np.shares_memory(np.asarray(rows["a"]), np.asarray(features["a"]))
    assert not shared


def test_a_pool_is_forgotten_with_its_end():
    before = len(pools._known)
    pool = Pool(*tumours()[0])
    assert len(pools._known) == before + 1
    fit(pool)
    del pool
    gc.collect()
    assert len(pools._known) == before


def test_a_pool_that_cannot_be_for_a_training_costs_nothing():
    before = dict(pools._known)
    (features, _), _ = tumours()
    pool = Pool(features)
    assert pools._known == before
    assert pool.num_row() == len(features)


def test_pools_that_nothing_is_known_of(tmp_path):
    train, test = tumours()
    with autolog.disabled():
        early = Pool(*train)
    table = train[0].assign(label=train[1])
    table[["label", *train[0].columns]].to_csv("data.tsv", sep="\t", header=False, index=False)
    fit(early, eval_set=[Pool("data.tsv"), Pool(*test).slice([0, 1, 2, 3])])
    run = only()
    assert datasets(run) == {}
    assert {what for what in skipped(run) if what.startswith("dataset")} == {
        "dataset learn",
        "dataset validation_0",
        "dataset validation_1",
    }
    assert "signature" in skipped(run)
    fit("data.tsv")
    assert "in a file" in skipped(runs()[-1])["dataset learn"]
    assert models(runs()[-1])["model"][1] == 1


def test_other_kinds_of_data():
    (features, labels), _ = tumours(as_frame=False)
    fit(features.tolist(), labels.tolist())
    fit(scipy.sparse.csr_matrix(features), labels)
    fit(pd.DataFrame(features), pd.Series(labels))
    fit(features.astype(np.float32, order="F"), labels)
    for run in runs():
        assert len(datasets(run)) == 1
        assert models(run)["model"][0].status == "READY"
    assert len({datasets(run)["train", "learn"].digest for run in runs()}) == 4


def test_polars():
    (features, labels), _ = tumours()
    table = pl.DataFrame({name: features[name].to_numpy() for name in features.columns})
    try:
        pool = Pool(table, labels.to_numpy())
    except cb.CatBoostError:
        pytest.skip("this version of CatBoost does not read polars")
    fit(pool)
    assert set(datasets(only())) == {("train", "learn")}


def test_categories_in_a_pool():
    table, names = wines()
    fit(Pool(table, names, cat_features=["strength"], text_features=["words"]))
    run = only()
    found = datasets(run)["train", "learn"]
    assert found.digest == digest_of(table, names).text
    assert models(run)["model"][0].status == "READY"
    assert "output of the signature" not in skipped(run)


def test_embeddings():
    rng = np.random.default_rng(0)
    (features, labels), _ = tumours(as_frame=False)
    vectors = {"vector": rng.normal(size=(len(features), 4)).astype(np.float32)}
    pool = Pool(
        features, labels, embedding_features=["vector"], embedding_features_data=vectors,
        feature_names=[*map(str, range(30)), "vector"],
    )  # fmt: skip
    fit(pool)
    run = only()
    assert "embedding_features_data" in skipped(run)["dataset learn"]
    # The rows of the data lack them.
    assert "output of the signature" in skipped(run)
    assert models(run)["model"][0].status == "READY"


def test_features_of_catboosts_own_kind():
    (features, labels), _ = tumours(as_frame=False)
    own = cb.FeaturesData(num_feature_data=features.astype(np.float32))
    fit(Pool(own, labels))
    assert "FeaturesData" in skipped(only())["dataset learn"]


def test_without_datasets():
    autolog.catboost.autolog(log_datasets=False)
    pool = Pool(*tumours()[0])
    fit(pool)
    assert pools._known[id(pool)].reference.dataset is None
    assert datasets(only()) == {}
    kept, _ = models(only())["model"]
    assert autolog.models.get_model_info(f"models:/{kept.model_id}").signature is not None


def test_a_part_of_the_training_data_evaluates():
    train, _ = tumours()
    model = cb.CatBoostClassifier(**QUIET, iterations=3, eval_fraction=0.2).fit(*train)
    run = only()
    assert set(datasets(run)) == {("train", "learn")}
    assert run.data.metrics["best_iteration"] == model.best_iteration_


def test_pools_of_threads():
    train, _ = tumours()

    def work():
        for _ in range(5):
            cb.train(Pool(*train), {**BINARY, "iterations": 1})

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {datasets(run)["train", "learn"].digest for run in runs()} == {digest_of(*train).text}
    assert len(runs()) == 20
