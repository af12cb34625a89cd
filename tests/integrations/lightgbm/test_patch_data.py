"""References to data of every kind that a Dataset is made from, and what happens to the data."""

import gc
import json
import weakref

import lightgbm as lgb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer

import autolog
from autolog.lightgbm import patch_data
from autolog_core.data import dataset_of
from autolog_core.session import default_session

X, y = load_breast_cancer(return_X_y=True)
PARAMS = {"objective": "binary", "num_leaves": 4, "num_threads": 1, "verbosity": -1}
NARWHALS = tuple(map(int, lgb.__version__.split(".")[:2])) >= (4, 7)


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.lightgbm.autolog()
    yield
    autolog.lightgbm.autolog(disable=True)


class Rows(lgb.Sequence):
    """Rows that are read when they are asked for."""

    batch_size = 100

    def __init__(self, values):
        self.values = values
        self.asked = 0

    def __getitem__(self, place):
        self.asked += 1
        return self.values[place]

    def __len__(self):
        return len(self.values)


def runs():
    found = default_session().read().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def inputs(run):
    return {use.dataset.name: use.dataset for use in run.inputs.dataset_inputs}


def signature(run):
    (output,) = run.outputs.model_outputs
    return autolog.models.get_model_info(f"models:/{output.model_id}").signature


def frame():
    return pd.DataFrame(X, columns=[f"c{place}" for place in range(X.shape[1])])


def polars_frame():
    return pytest.importorskip("polars").DataFrame(X)


KINDS = {
    "array": lambda: X,
    "float32": lambda: X.astype(np.float32),
    "frame": frame,
    "csr": lambda: sparse.csr_matrix(X),
    "csc": lambda: sparse.csc_matrix(X),
    "arrow": lambda: pa.table(frame()),
    "polars": polars_frame,
}


@pytest.mark.parametrize("kind", KINDS)
def test_data_in_memory(kind):
    if kind == "polars" and not NARWHALS:
        pytest.skip("since LightGBM 4.7")
    data = KINDS[kind]()
    lgb.train(PARAMS, lgb.Dataset(data, y), 2)
    (run,) = runs()
    used, expected = inputs(run)["dataset"], dataset_of(data, y)
    assert (used.digest, used.schema) == (expected.digest, expected.schema)
    assert json.loads(used.profile) == json.loads(expected.profile)
    assert len(signature(run).inputs.inputs) == (30 if kind in ("frame", "arrow", "polars") else 1)


def test_the_same_data_has_the_same_digest_whoever_trains():
    lgb.train(PARAMS, lgb.Dataset(X, y), 2)
    lgb.LGBMClassifier(n_estimators=2, verbosity=-1, n_jobs=1).fit(X, y)
    assert len({inputs(run)["dataset"].digest for run in runs()}) == 1


def test_blocks_of_rows():
    blocks = [X[:300], X[300:]]
    lgb.train(PARAMS, lgb.Dataset(blocks, y), 2)
    changed = [X[:300], X[300:] + 1]
    lgb.train(PARAMS, lgb.Dataset(changed, y), 2)
    first, second = (inputs(run)["dataset"] for run in runs())
    assert json.loads(first.profile)["num_rows"] == len(X)
    assert first.digest != second.digest
    assert signature(runs()[0]).inputs.inputs[0].shape == (-1, 30)


@pytest.mark.parametrize("many", [True, False])
def test_a_sequence_is_not_read_for_us(many):
    autolog.lightgbm.autolog(disable=True)
    plain = Rows(X)
    lgb.train(PARAMS, lgb.Dataset([plain] if many else plain, y), 2)
    autolog.lightgbm.autolog(log_input_examples=True)
    rows = Rows(X)
    lgb.train(PARAMS, lgb.Dataset([rows] if many else rows, y), 2)
    assert rows.asked == plain.asked
    (run,) = runs()
    profile = json.loads(inputs(run)["dataset"].profile)
    assert (profile["digest_of"], profile["num_rows"]) == ("description", len(X))
    assert signature(run).inputs.inputs[0].shape == (-1, 30)


@pytest.mark.parametrize("as_text", [True, False])
def test_a_file(as_text, tmp_path):
    path = tmp_path / "train.csv"
    np.savetxt(path, np.c_[y, X], delimiter=",")
    booster = lgb.train(PARAMS, lgb.Dataset(str(path) if as_text else path), 2)
    path.write_text(path.read_text().replace("1.0", "2.0"))
    lgb.train(PARAMS, lgb.Dataset(path), 2)
    first, second = (inputs(run)["dataset"] for run in runs())
    assert (first.source_type, json.loads(first.source)["uri"]) == ("local", str(path))
    assert first.digest != second.digest
    assert json.loads(first.profile)["size_in_bytes"] > 1000
    (spec,) = signature(runs()[0]).inputs.inputs
    assert spec.shape == (-1, booster.num_feature())


def test_data_that_nobody_else_holds():
    lgb.train(PARAMS, lgb.Dataset(X.copy(), y.copy()), 2)
    assert inputs(runs()[0])["dataset"].digest == dataset_of(X, y).digest


def test_data_that_were_freed_by_an_earlier_training():
    data = lgb.Dataset(frame(), y)
    lgb.train(PARAMS, data, 2)
    assert data.data is None
    lgb.train(PARAMS, data, 2)
    first, second = runs()
    assert inputs(first) == inputs(second)
    assert signature(first) == signature(second)
    assert signature(second).inputs.input_names()[0] == "c0"


def test_data_that_were_freed_before_any_training():
    known = lgb.Dataset(X[:400], y[:400])
    held_out = lgb.Dataset(X[400:], y[400:], reference=known)
    # Makes the one that it refers to as well.
    held_out.construct()
    assert known.data is None
    lgb.train(PARAMS, known, 2, [held_out])
    (run,) = runs()
    assert inputs(run)["dataset"].digest == dataset_of(X[:400], y[:400]).digest
    assert inputs(run)["valid_0"].digest == dataset_of(X[400:], y[400:]).digest


def test_data_that_were_freed_before_autologging():
    autolog.lightgbm.autolog(disable=True)
    data = lgb.Dataset(X, y).construct()
    autolog.lightgbm.autolog()
    lgb.train(PARAMS, data, 2)
    (run,) = runs()
    profile = json.loads(inputs(run)["dataset"].profile)
    assert (profile["digest_of"], profile["num_rows"]) == ("description", len(X))
    assert signature(run).inputs.inputs[0].shape == (-1, 30)


def test_data_that_changed_after_it_was_constructed():
    mine = X.copy()
    data = lgb.Dataset(mine, y, free_raw_data=False).construct()
    mine[:] = 0
    lgb.train(PARAMS, data, 2)
    assert inputs(runs()[0])["dataset"].digest == dataset_of(X, y).digest


def test_rows_of_a_dataset():
    whole = lgb.Dataset(frame(), y)
    expected = dataset_of(frame(), y)
    for rows in (range(300), range(1, 301)):
        lgb.train(PARAMS, whole.subset(list(rows)), 2)
    first, second = (inputs(run)["dataset"] for run in runs())
    assert first.digest != second.digest
    assert first.digest != expected.digest
    assert first.schema == expected.schema
    assert json.loads(first.profile)["num_rows"] == 300
    assert signature(runs()[0]).inputs.input_names()[0] == "c0"


@pytest.mark.parametrize("kept", [True, False])
def test_other_labels_for_the_same_data(kept):
    data = lgb.Dataset(X, y, free_raw_data=not kept)
    lgb.train(PARAMS, data, 2)
    data.set_label(1 - y)
    lgb.train(PARAMS, data, 2)
    first, second = (inputs(run)["dataset"].digest for run in runs())
    assert first == dataset_of(X, y).digest
    assert second != first
    assert not kept or second == dataset_of(X, 1 - y).digest


@pytest.mark.parametrize("kind", ["array", "frame", "csr", "arrow"])
def test_nothing_is_held_of_data_that_the_user_lets_go(kind):
    data = KINDS[kind]()
    data = data.copy() if kind == "array" else data
    held = weakref.ref(data)
    known = lgb.Dataset(data, y)
    lgb.train(PARAMS, known, 2)
    del data
    gc.collect()
    assert held() is None
    before = len(patch_data._known)
    del known
    gc.collect()
    assert len(patch_data._known) == before - 1


def test_data_are_not_made_dense(monkeypatch):
    data = sparse.random(2000, 40, density=0.05, format="csr", random_state=0)
    labels = np.arange(2000) % 2
    for name in ("toarray", "todense"):
        monkeypatch.setattr(type(data), name, None)
    known = lgb.Dataset(data, labels)
    lgb.train(PARAMS, known, 2, [lgb.Dataset(data[:500], labels[:500], reference=known)])
    lgb.LGBMClassifier(n_estimators=2, verbosity=-1, n_jobs=1).fit(data, labels)
    assert all(json.loads(inputs(run)["dataset"].profile)["features_stored"] for run in runs())


def test_p49_without_references_nothing_is_looked_at(monkeypatch):
    autolog.lightgbm.autolog(log_datasets=False)

    def fail(*args):
        raise AssertionError("a digest was made")

    monkeypatch.setattr("autolog.lightgbm.extract_data.reference_of", fail)
    data = lgb.Dataset(X, y).construct()
    lgb.train(PARAMS, data, 2)
    lgb.LGBMClassifier(n_estimators=2, verbosity=-1, n_jobs=1).fit(X, y)
    assert not any(inputs(run) for run in runs())
    assert signature(runs()[0]).inputs.inputs[0].shape == (-1, 30)


def test_constructing_makes_no_run():
    lgb.Dataset(X, y).construct()
    assert not runs()
    with pytest.raises(TypeError, match="Cannot initialize Dataset"):
        lgb.Dataset(object(), y).construct()
    assert not runs()
