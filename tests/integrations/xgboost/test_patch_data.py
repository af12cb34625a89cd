"""References to data: what a DMatrix was made from, and what it tells of itself."""

import gc
import json
import sys
import weakref

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import xgboost as xgb
from tests.integrations.xgboost.patched import (
    QUIET,
    curve,
    datasets,
    linked,
    models,
    only,
    skipped,
    tumours,
)

import autolog
from autolog.xgboost import matrices
from autolog_core.data import dataset_of

PARAMS = {"max_depth": 2, "nthread": 1}
ROWS = 60


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.xgboost.autolog()
    yield
    autolog.xgboost.autolog(disable=True)


def numbers(rows=ROWS, seed=0):
    features = np.random.default_rng(seed).normal(size=(rows, 3))
    return features, (features[:, 0] > 0).astype(np.int64)


FORMS = {
    "array": lambda features: features,
    "floats": lambda features: features.astype(np.float32),
    "fortran": np.asfortranarray,
    "frame": lambda features: pd.DataFrame(features, columns=["a", "b", "c"]),
    "csr": scipy.sparse.csr_matrix,
    "csc": scipy.sparse.csc_matrix,
    "polars": lambda features: pl.DataFrame(features, schema=["a", "b", "c"]),
    "arrow": lambda features: pa.table(
        dict(zip("abc", np.ascontiguousarray(features.T), strict=True))
    ),
    "list": lambda features: features.tolist(),
}


@pytest.mark.parametrize("kind", ["DMatrix", "QuantileDMatrix"])
@pytest.mark.parametrize("form", FORMS)
def test_the_reference_is_that_of_the_data(form, kind):
    features, labels = numbers()
    data = FORMS[form](features)
    try:
        matrix = getattr(xgb, kind)(data, labels)
    except TypeError:
        pytest.skip("this XGBoost takes no such data")
    xgb.train(PARAMS, matrix, 2)
    run = only()
    made = datasets(run)["train", "dataset"]
    wanted = dataset_of(data, labels)
    assert (made.digest, made.profile) == (wanted.digest, wanted.profile)
    assert models(run)["model"].status.value == "READY"
    assert ("signature" in skipped(run)) is (form == "csc")


@pytest.mark.parametrize("form", ["array", "frame", "csr"])
def test_large_data_that_nobody_holds(form):
    features, labels = numbers(60_000)
    digest = dataset_of(FORMS[form](features), labels).digest
    matrix = xgb.DMatrix(FORMS[form](features), labels.copy())
    gc.collect()
    xgb.train(PARAMS, matrix, 1)
    run = only()
    assert datasets(run)["train", "dataset"].digest == digest
    assert skipped(run) == {}


@pytest.mark.parametrize("rows", [ROWS, 60_000])
def test_data_that_are_changed_after_the_matrix_was_made(rows):
    features, labels = numbers(rows)
    digest = dataset_of(features, labels).digest
    matrix = xgb.DMatrix(features, labels)
    features[:] = 0
    labels[:] = 0
    xgb.train(PARAMS, matrix, 1)
    assert datasets(only())["train", "dataset"].digest == digest


@pytest.mark.parametrize("rows", [ROWS, 60_000])
def test_nothing_is_held_and_nothing_outlives_the_matrix(rows):
    features, labels = numbers(rows)
    before = sys.getrefcount(features), sys.getrefcount(labels)
    matrix = xgb.DMatrix(features, labels)
    gc.collect()
    assert (sys.getrefcount(features), sys.getrefcount(labels)) == before
    known = len(matrices._known)
    gone = weakref.ref(matrix)
    xgb.train(PARAMS, matrix, 1)
    del matrix
    gc.collect()
    assert gone() is None
    assert len(matrices._known) == known - 1


def test_names_of_arrays_are_in_schema_and_signature():
    features, labels = numbers()
    matrix = xgb.DMatrix(features, labels, feature_names=["a", "b", "c"])
    booster = xgb.train(PARAMS, matrix, 2)
    run = only()
    made = datasets(run)["train", "dataset"]
    assert made.digest == dataset_of(features, labels).digest
    columns = json.loads(made.schema)["mlflow_colspec"]
    assert [column["name"] for column in columns] == ["a", "b", "c"]
    (model,) = models(run).values()
    loaded = autolog.pyfunc.load_model(f"models:/{model.model_id}")
    frame = pd.DataFrame(features, columns=["a", "b", "c"])
    assert (loaded.predict(frame[["c", "a", "b"]]) == booster.predict(matrix)).all()


@pytest.mark.parametrize("rows", [ROWS, 60_000])
@pytest.mark.parametrize("how", ["set_label", "set_info"])
def test_labels_that_are_set_later(rows, how):
    features, labels = numbers(rows)
    found = []
    for given in (labels, 1 - labels):
        matrix = xgb.DMatrix(features)
        if how == "set_label":
            matrix.set_label(given)
        else:
            matrix.set_info(label=given)
        found.append(matrices.reference(matrix))
        assert "targets_shape" in found[-1].profile or rows > ROWS
    assert len({each.digest for each in found}) == 2
    assert matrices.reference(matrix).digest == found[-1].digest


def test_labels_that_are_set_twice():
    features, labels = numbers()
    matrix = xgb.DMatrix(features, labels)
    before = matrices.reference(matrix)
    for given in (1 - labels, labels):
        matrix.set_label(given)
        found = matrices.reference(matrix)
        assert found.digest == dataset_of(features, given.astype(np.float32)).digest
        assert found.digest != before.digest


def test_a_matrix_from_before_is_described_by_itself():
    autolog.xgboost.autolog(disable=True)
    features, labels = numbers()
    names = ["a", "b", "c"]
    before = [xgb.DMatrix(features, each, feature_names=names) for each in (labels, 1 - labels)]
    autolog.xgboost.autolog()
    xgb.train(PARAMS, before[0], 2)
    run = only()
    made = datasets(run)["train", "dataset"]
    profile = json.loads(made.profile)
    assert profile["digest_of"] == "description"
    assert (profile["num_rows"], profile["num_columns"]) == (ROWS, 3)
    assert [each["name"] for each in json.loads(made.schema)["mlflow_colspec"]] == names
    # The labels are what a matrix gives back cheaply: they count.
    assert matrices.reference(before[1]).digest != made.digest
    assert "signature" in skipped(run)
    assert models(run)["model"].status.value == "READY"


class Batches(xgb.DataIter):
    def __init__(self, count=3):
        self.batches = [numbers(seed=seed) for seed in range(count)]
        self.place = 0
        super().__init__()

    def next(self, input_data):
        if self.place == len(self.batches):
            return False
        features, labels = self.batches[self.place]
        input_data(data=features, label=labels)
        self.place += 1
        return True

    def reset(self):
        self.place = 0


@pytest.mark.parametrize("kind", ["DMatrix", "QuantileDMatrix"])
def test_an_iterator_is_read_by_xgboost_alone(kind):
    matrix = getattr(xgb, kind)(Batches())
    xgb.train(PARAMS, matrix, 2, evals=[(matrix, "all")], **QUIET)
    run = only()
    made = datasets(run)["train", "all"]
    profile = json.loads(made.profile)
    assert profile["num_rows"] == 3 * ROWS
    assert profile["digest_of"] == "description"
    assert linked(run, "all-rmse") == {"all"}


@pytest.mark.skipif(not hasattr(xgb, "ExtMemQuantileDMatrix"), reason="of XGBoost 3")
def test_external_memory(tmp_path):
    class Cached(Batches):
        def __init__(self):
            self.batches = [numbers(seed=seed) for seed in range(3)]
            self.place = 0
            xgb.DataIter.__init__(self, cache_prefix=str(tmp_path / "cache"))

    matrix = xgb.ExtMemQuantileDMatrix(Cached())
    xgb.train({**PARAMS, "tree_method": "hist"}, matrix, 2, evals=[(matrix, "all")], **QUIET)
    run = only()
    assert json.loads(datasets(run)["train", "all"].profile)["num_rows"] == 3 * ROWS
    assert list(curve(run, "all-rmse")) == [0, 1]


@pytest.mark.filterwarnings("ignore:.*Text file input:UserWarning")
def test_a_file(tmp_path):
    path = tmp_path / "data.libsvm"
    features, labels = numbers()
    lines = [
        f"{label} " + " ".join(f"{place}:{value}" for place, value in enumerate(row))
        for label, row in zip(labels, features, strict=True)
    ]
    path.write_text("\n".join(lines))
    xgb.train(PARAMS, xgb.DMatrix(f"{path}?format=libsvm"), 2)
    run = only()
    made = datasets(run)["train", "dataset"]
    assert str(path) in made.source
    assert json.loads(made.profile)["size_in_bytes"] == path.stat().st_size
    path.write_text("\n".join(reversed(lines)))
    assert matrices.reference_of(f"{path}?format=libsvm").digest != made.digest


def test_slices_have_digests_of_their_own():
    features, labels = numbers()
    whole = xgb.DMatrix(features, labels)
    parts = [whole.slice(range(40)), whole.slice(np.arange(20, 60)), whole.slice(list(range(40)))]
    first, second, third = (matrices.reference(part) for part in parts)
    assert first.digest == third.digest != second.digest
    assert json.loads(first.profile)["num_rows"] == 40
    xgb.train(PARAMS, parts[0], 2)
    assert "signature" not in skipped(only())


def test_a_class_of_the_user():
    class Named(xgb.DMatrix):
        def __init__(self, data, label, title):
            super().__init__(data, label)
            self.title = title

    features, labels = numbers()
    xgb.train(PARAMS, Named(features, labels, "mine"), 2)
    assert datasets(only())["train", "dataset"].digest == dataset_of(features, labels).digest


def test_one_matrix_under_several_names():
    train, valid = (xgb.DMatrix(*part) for part in tumours())
    evals = [(valid, "valid"), (train, "learn"), (valid, "again")]
    xgb.train(PARAMS, train, 2, evals=evals, **QUIET)
    run = only()
    assert set(datasets(run)) == {("train", "learn"), ("eval", "valid")}
    assert linked(run, "again-rmse") == {"valid"}
    assert linked(run, "learn-rmse") == {"learn"}


def test_matrices_for_prediction_cost_a_look_only():
    autolog.xgboost.autolog(log_datasets=False, log_models=False)
    before = len(matrices._known)
    kept = xgb.DMatrix(numbers()[0])
    assert len(matrices._known) == before
    assert kept.num_row() == ROWS
