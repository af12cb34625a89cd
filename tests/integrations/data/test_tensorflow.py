"""References to TensorFlow's tensors and pipelines: nothing is iterated unless it is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autolog
from autolog import data
from autolog_core.data import dataset_of, digest_of
from autolog_core.errors import InvalidArgument

tf = pytest.importorskip("tensorflow")
ml_dtypes = pytest.importorskip("ml_dtypes")

X = np.arange(60, dtype=np.float32).reshape(20, 3)
Y = np.arange(20)
SLICES = tf.data.Dataset.from_tensor_slices


def text_of(*parts: Any) -> str:
    return digest_of(*parts).text


def asked(*_: Any) -> Any:
    raise AssertionError("an element was asked for")


def generated() -> Any:
    spec = tf.TensorSpec((), tf.int32)
    return tf.data.Dataset.from_generator(asked, output_signature=spec)


@given(
    hnp.arrays(
        st.sampled_from(["?", "u1", "i4", "i8", "u4", "f2", "f4", "f8", "c8"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        elements=st.integers(0, 1),
    )
)
def test_a_tensor_has_the_digest_of_its_array(array: Any) -> None:
    assert text_of(tf.constant(array)) == text_of(array)
    if array.ndim:
        assert text_of(SLICES(array)) == text_of(array)


def test_tensors_of_every_sort() -> None:
    assert text_of(tf.Variable(X)) == text_of(X)
    assert text_of(tf.constant(["a", "ünï"])) == text_of(np.array([b"a", "ünï".encode()], object))
    half = X.astype(ml_dtypes.bfloat16)
    assert text_of(tf.constant(half)) == text_of(half)
    matrix = np.eye(4, 5, dtype=np.float32)
    sparse = tf.sparse.from_dense(matrix)
    assert text_of(sparse) == text_of(sp.csr_matrix(matrix))
    shuffled = tf.SparseTensor(sparse.indices[::-1], sparse.values[::-1], sparse.dense_shape)
    assert text_of(shuffled) == text_of(sparse)
    cubes = [tf.sparse.from_dense(np.eye(4)[None] * each) for each in (1, 2)]
    assert text_of(cubes[0]) != text_of(cubes[1])
    ragged = [tf.ragged.constant(each) for each in ([[1], [2, 3]], [[1, 2], [3]], [[1], [2, 4]])]
    assert len({text_of(each) for each in ragged}) == 3
    profile = data.from_tensorflow(ragged[0]).profile
    assert profile == {"num_rows": 2, "features_shape": [2, -1]}


def test_what_has_no_values_yet_has_no_reference() -> None:
    found = []

    @tf.function
    def traced(x: Any) -> Any:
        found.append(dataset_of(x))
        with pytest.raises(InvalidArgument, match="tensor with values"):
            data.from_tensorflow(x)
        return x

    traced(tf.constant(1.0))
    assert found == [None]


def test_tensors_as_a_dataset() -> None:
    made = data.from_tensorflow(tf.constant(X), "x.npz", tf.constant(Y), "train")
    same = data.from_numpy(X, "x.npz", Y, "train")
    assert made.to_entity() == same.to_entity()
    assert made.targets is not None
    named = data.from_tensorflow({"a": tf.constant(X)})
    assert named.digest == data.from_numpy({"a": X}).digest


@pytest.mark.parametrize(
    ("structure", "parts"),
    [
        (X, (X,)),
        ((X, Y), (X, Y)),
        ({"a": X, "b": Y}, ({"a": X, "b": Y},)),
        (({"b": X, "a": Y}, Y), ({"a": Y, "b": X}, Y)),
    ],
)
def test_a_pipeline_of_tensors_has_the_digest_of_its_arrays(structure: Any, parts: Any) -> None:
    expected = text_of(*parts)
    pipeline = SLICES(structure)
    ordered = pipeline.cache().shuffle(9, seed=1).batch(4).repeat(3).prefetch(1)
    for each in (pipeline, ordered, pipeline.with_options(tf.data.Options())):
        assert text_of(each) == expected
        assert data.from_tensorflow(each).profile["digest_of"] == "data"


def test_a_pipeline_says_what_it_is() -> None:
    made = data.from_tensorflow(SLICES((X, Y)).shuffle(9).batch(8), name="train")
    assert made.profile == {
        "num_rows": 20,
        "num_elements": 80,
        "features_cardinality": 3,
        "pipeline": ["TensorSlice", "Shuffle", "Batch"],
        "digest_of": "data",
    }
    whole = {"type": "tensor", "name": "0", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}}
    for each in (made, data.from_tensorflow(SLICES((X, Y)))):
        assert each.schema is not None
        assert json.loads(each.schema["mlflow_tensorspec"]["features"])[0] == whole
    pair = data.from_tensorflow(SLICES(X), targets=SLICES(Y).batch(5))
    assert pair.digest == text_of(X, Y)
    assert (pair.profile["features_cardinality"], pair.profile["targets_cardinality"]) == (20, 4)
    assert pair.schema is not None
    assert pair.schema["mlflow_tensorspec"]["targets"] is not None


def test_other_steps_count_by_name_and_number() -> None:
    base = SLICES((X, Y))
    pipelines = {
        "take": base.take(3),
        "take 4": base.take(4),
        "skip": base.skip(3),
        "first shard": base.shard(2, 0),
        "second shard": base.shard(2, 1),
        "map": base.map(lambda x, y: x),
        "filter": base.filter(lambda x, y: y > 3),
        "window": base.window(3),
        "joined": base.concatenate(base.take(2)),
        "batches of two": base.batch(2).take(1),
        "batches of three": base.batch(3).take(1),
        "zipped": tf.data.Dataset.zip((base, SLICES(X))),
        "changed": SLICES((X + 1, Y)).take(3),
        "files": tf.data.TFRecordDataset(["a.tfrecord"]),
        "other files": tf.data.TFRecordDataset(["b.tfrecord"]),
        "lines": tf.data.TextLineDataset("a.txt"),
    }
    found = {name: data.from_tensorflow(each) for name, each in pipelines.items()}
    assert {made.profile["digest_of"] for made in found.values()} == {"pipeline"}
    assert len({made.digest for made in found.values()}) == len(found)
    again = data.from_tensorflow(SLICES((X, Y)).take(3).shuffle(5).batch(2))
    assert again.digest == found["take"].digest
    described = {
        "three": tf.data.Dataset.range(3),
        "four": tf.data.Dataset.range(4),
        "generated": generated(),
        "ragged": SLICES(tf.ragged.constant([[1], [2, 3]])),
    }
    made = {name: data.from_tensorflow(each) for name, each in described.items()}
    assert {each.profile["digest_of"] for each in made.values()} == {"description"}
    assert len({each.digest for each in made.values()}) == len(made)


def test_nothing_is_iterated_and_no_shuffle_moves_on() -> None:
    def orders(touched: bool) -> list[list[int]]:
        tf.random.set_seed(7)
        shuffled = SLICES(Y).shuffle(20, seed=3)
        drawn = shuffled.map(lambda y: y + tf.random.uniform((), maxval=1000, dtype=tf.int64))
        found = []
        for _ in range(2):
            if touched:
                for each in (shuffled, drawn):
                    assert dataset_of(each) is not None
                    data.from_tensorflow(each).to_dict()
            found += [[int(y) for y in each] for each in (shuffled, drawn)]
        return found

    assert orders(touched=True) == orders(touched=False)
    mapped = SLICES(Y).map(lambda y: tf.py_function(asked, [y], tf.int64))
    for each in (mapped, generated()):
        data.from_tensorflow(each).to_dict()


def test_every_element_is_read_when_asked_for() -> None:
    calls: list[int] = []

    def counted() -> Any:
        calls.append(1)
        yield from ([1, 2], [3, 4])

    def make() -> Any:
        spec = tf.TensorSpec((2,), tf.int32)
        return tf.data.Dataset.from_generator(counted, output_signature=spec)

    made = data.from_tensorflow(make(), read=True)
    assert len(calls) == 1
    assert (made.profile["digest_of"], made.profile["num_rows"]) == ("items", 2)
    assert made.schema is not None
    assert data.from_tensorflow(make().take(1), read=True).digest != made.digest
    doubled = data.from_tensorflow(make().map(lambda x: 2 * x), read=True)
    assert doubled.digest != made.digest
    ragged = [SLICES(tf.ragged.constant(each)) for each in ([[1], [2, 3]], [[1], [2, 4]])]
    assert len({data.from_tensorflow(each, read=True).digest for each in ragged}) == 2
    both = data.from_tensorflow(SLICES(X).map(abs), targets=SLICES(Y), read=True)
    assert (both.profile["features_cardinality"], both.profile["targets_cardinality"]) == (20, 20)
    assert data.from_tensorflow(SLICES(X).shuffle(3), read=True).digest == text_of(X)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.from_tensorflow(SLICES(X), targets=tf.constant(Y)), "both"),
        (lambda: data.from_tensorflow(tf.constant(X), targets=SLICES(Y)), "both"),
        (lambda: data.from_tensorflow(tf.constant(X), targets=Y), "targets"),
        (lambda: data.from_tensorflow(SLICES(X).shuffle(3).map(abs), read=True), "shuffle"),
        (lambda: data.from_tensorflow(SLICES(X).map(abs).repeat(), read=True), "repeat"),
    ],
)
def test_wrong_arguments_are_refused(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        call()


def test_runs_keep_them(tracking: Path) -> None:
    made = data.from_tensorflow(SLICES((X, Y)).batch(4), "gs://bucket/x", name="train")
    with autolog.start_run() as run:
        autolog.log_input(made, context="training")
        autolog.log_metric("loss", 0.5, dataset=made)
    (use,) = autolog.get_run(run.info.run_id).inputs.dataset_inputs
    assert use.dataset == made.to_entity()
