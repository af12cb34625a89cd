"""Digests of PyTorch tensors: those of the same values in NumPy, and nothing else is touched."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autolog import data
from autolog_core.data import dataset_of, digest_of
from autolog_core.errors import InvalidArgument

torch = pytest.importorskip("torch")
ml_dtypes = pytest.importorskip("ml_dtypes")

DTYPES = ["?", "u1", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "c8", "c16", "u2", "u4", "u8"]
FOREIGN = ["bfloat16", "float8_e4m3fn", "float8_e5m2"]


def text_of(*parts: Any) -> str:
    return digest_of(*parts).text


@given(
    hnp.arrays(
        st.sampled_from(DTYPES),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
        elements=st.integers(0, 1),
    ),
    st.data(),
)
def test_a_tensor_has_the_digest_of_its_array(array: Any, drawn: st.DataObject) -> None:
    tensor = torch.from_numpy(array.copy())
    expected = text_of(array)
    assert text_of(tensor) == expected
    assert text_of(torch.nn.Parameter(tensor, requires_grad=False)) == expected
    spaced = torch.zeros((*tensor.shape, 2), dtype=tensor.dtype)
    spaced[..., 0] = tensor
    assert text_of(spaced[..., 0]) == expected
    assert text_of(tensor.T.contiguous().T if tensor.ndim == 2 else tensor) == expected
    if array.size:
        place = tuple(drawn.draw(st.integers(0, side - 1)) for side in array.shape)
        tensor[place] = 1 - int(tensor[place].real)
        assert text_of(tensor) != expected


@pytest.mark.parametrize("name", FOREIGN)
def test_dtypes_that_numpy_lacks(name: str) -> None:
    values = torch.tensor([[1.0, -2.0], [0.0, float("nan")]])
    tensor = values.to(getattr(torch, name))
    array = values.numpy().astype(getattr(ml_dtypes, name))
    assert text_of(tensor) == text_of(array)
    assert text_of(tensor.T) == text_of(array.T)
    assert text_of(tensor) != text_of(values)
    assert text_of(tensor) != text_of(torch.flip(tensor, (0,)))


def test_a_nan_of_bfloat16_is_a_nan() -> None:
    bits = torch.tensor([0x7FC0, 0x7F81, 0x3F80], dtype=torch.int16)
    one = bits[[0, 2]].view(torch.bfloat16)
    two = bits[[1, 2]].view(torch.bfloat16)
    assert torch.isnan(two[0])
    assert text_of(one) == text_of(two)
    infinity = torch.tensor([float("inf"), 1.0], dtype=torch.bfloat16)
    assert text_of(infinity) != text_of(one)
    assert text_of(-infinity) != text_of(infinity)


def test_tensors_that_are_kept_conjugated_or_negated() -> None:
    tensor = torch.randn(6, 5, dtype=torch.complex64)
    array = tensor.numpy()
    assert tensor.conj().is_conj()
    assert text_of(tensor.conj()) == text_of(array.conj())
    assert tensor.conj().imag.is_neg()
    assert text_of(tensor.conj().imag) == text_of(array.conj().imag)
    assert text_of(tensor.real) == text_of(array.real)


def test_blocks_of_what_is_not_read_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    tensor = torch.randn(7, 3, 4, dtype=torch.complex64).conj()
    expected = text_of(tensor.resolve_conj().numpy())
    for size in (8, 40, 200, 10**6):
        monkeypatch.setattr("autolog_core.data.tensors._BLOCK", size)
        assert text_of(tensor) == expected
    rows = torch.utils.data.Subset(torch.utils.data.TensorDataset(tensor), [5, 1, 1])
    assert text_of(rows) == text_of(tensor.resolve_conj().numpy()[[5, 1, 1]])


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support:UserWarning")
def test_a_sparse_tensor_has_the_digest_of_the_matrix() -> None:
    matrix = sp.random(9, 7, 0.3, format="csr", random_state=0, dtype=np.float32)
    tensor = torch.from_numpy(matrix.toarray()).to_sparse()
    assert text_of(tensor) == text_of(matrix)
    assert text_of(tensor.to_sparse_csr()) == text_of(matrix)
    order = torch.randperm(tensor._nnz())
    mixed = torch.sparse_coo_tensor(
        tensor.indices()[:, order], tensor.values()[order], tensor.shape, check_invariants=True
    )
    assert text_of(mixed) == text_of(matrix)
    assert not mixed.is_coalesced()
    assert text_of(2 * tensor) != text_of(matrix)
    rows = torch.sparse_coo_tensor([[0, 2]], torch.eye(2), (3, 2), check_invariants=True)
    cubes = torch.eye(3).reshape(1, 3, 3).to_sparse()
    assert len({text_of(each) for each in (rows, 2 * rows, cubes, tensor)}) == 4
    assert data.from_torch(tensor).profile == {
        "num_rows": 9,
        "num_elements": 63,
        "features_shape": [9, 7],
    }


def test_reading_leaves_a_tensor_as_it_was() -> None:
    tensor = torch.zeros(4, requires_grad=True)
    text_of(tensor)
    assert tensor.requires_grad
    assert tensor.is_leaf
    assert tensor._version == 0
    plain = torch.zeros(4)
    text_of(plain)
    # NumPy's view of a tensor forbids this to its owner.
    plain.resize_(1000)
    state = torch.get_rng_state()
    text_of(torch.empty(0), torch.tensor(3))
    assert torch.equal(torch.get_rng_state(), state)


def test_lists_and_mappings_hold_tensors() -> None:
    one, two = torch.arange(3), torch.arange(3) + 1
    assert digest_of([one, two]).opaque == 0
    assert text_of([one, two]) != text_of([one, one])
    assert text_of([one, two]) == text_of([one.numpy(), two.numpy()])
    assert text_of({"a": one}) == text_of({"a": one.numpy()})


def test_tensors_as_a_dataset() -> None:
    X, y = torch.randn(5, 3), torch.arange(5)
    made = data.from_torch(X, "train.pt", y, "train")
    same = data.from_numpy(X.numpy(), "train.pt", y.numpy(), "train")
    assert made.to_entity() == same.to_entity()
    assert made.data is X
    assert made.targets is y
    pair = data.from_torch((X, y))
    assert pair.digest == same.digest
    assert pair.profile == {"num_rows": 5, "num_elements": 20, "digest_of": "data"}
    named = data.from_torch({"a": X, "b": y})
    plain = data.from_numpy({"a": X.numpy(), "b": y.numpy()})
    assert (named.digest, named.schema, named.profile) == (
        plain.digest,
        plain.schema,
        plain.profile,
    )
    assert data.from_torch(torch.zeros(0, 3)).profile["num_rows"] == 0
    assert data.from_torch(X, digest="mine").digest == "mine"


def test_labels_of_a_table_may_be_a_tensor() -> None:
    frame = pd.DataFrame({"x": [1, 2]})
    for labels, word in ((torch.tensor([0, 1]), "long"), (torch.zeros(2).bfloat16(), "any")):
        found = dataset_of(frame, labels)
        assert found is not None
        assert found.digest == text_of(frame, labels) != text_of(frame)
        columns = json.loads(found.schema or "")["mlflow_colspec"]
        assert [(each["name"], each["type"]) for each in columns] == [
            ("x", "long"),
            ("target", word),
        ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.from_torch(torch.zeros(3, device="meta")), "device meta"),
        (lambda: data.from_torch({"a": torch.zeros(2), "b": [1]}), "got list"),
        (lambda: data.from_torch((torch.zeros(2), None)), "got NoneType"),
        (lambda: data.from_torch(torch.zeros(2), targets=np.zeros(2)), "targets.*ndarray"),
        (lambda: data.from_torch(torch.zeros(2), name=""), "name"),
    ],
)
def test_wrong_tensors_are_refused(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        call()


def test_tensors_without_values_have_no_reference() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        fake = torch.zeros(3)
    for tensor in (torch.zeros(3, device="meta"), fake):
        assert dataset_of(tensor) is None
        with pytest.raises(InvalidArgument, match="cannot make a digest"):
            digest_of(tensor)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_tensor_on_a_device_has_the_digest_of_its_values() -> None:
    tensor = torch.randn(100, 7)
    for each in (tensor, tensor.T, tensor.bfloat16(), tensor[::2]):
        assert text_of(each.cuda()) == text_of(each)
