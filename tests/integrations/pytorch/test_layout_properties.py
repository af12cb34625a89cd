"""However tensors lie in memory, they come back with their values, and share what they shared."""

import itertools

import torch
from hypothesis import given
from hypothesis import strategies as st

from autolog._torch.layout import lay_out, make_tensors

TYPES = [torch.float32, torch.float64, torch.int16, torch.uint8, torch.bool, torch.bfloat16]


@st.composite
def tensors(draw):
    """Some memories, and views of them: parts, steps, turned, repeated, of other types."""
    made = []
    for _ in range(draw(st.integers(1, 3))):
        dtype = draw(st.sampled_from(TYPES))
        memory = torch.randint(0, 2, (draw(st.integers(1, 24)),)).to(dtype)
        for _ in range(draw(st.integers(1, 4))):
            made.append(view(draw, memory))
    return draw(st.permutations(made))


def view(draw, memory):
    size = memory.numel()
    shape = draw(st.lists(st.integers(0, 3), max_size=2))
    stride = [draw(st.integers(0, 4)) for _ in shape]
    last = sum((n - 1) * step for n, step in zip(shape, stride, strict=True) if n)
    if last >= size or 0 in shape:
        shape, stride, last = [size], [1], size - 1
    seen = memory.as_strided(shape, stride, draw(st.integers(0, size - 1 - last)))
    if draw(st.booleans()) and seen.is_floating_point():
        return torch.nn.Parameter(seen)
    return seen


def places(made):
    """Returns which elements are the same memory, as pairs of (tensor, position)."""
    seen = {}
    for index, tensor in enumerate(made):
        for at in itertools.product(*map(range, tensor.shape)):
            seen.setdefault(tensor[at].data_ptr(), set()).add((index, at))
    return sorted(sorted(group) for group in seen.values() if len(group) > 1)


@given(tensors())
def test_values_and_sharing_come_back(made):
    layout = lay_out(made, {})
    stored = {name: each.clone().contiguous() for name, each in layout.entries.items()}
    found = make_tensors(stored, layout.specs)
    for one, other in zip(found, made, strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        assert one.requires_grad == other.requires_grad
        assert type(one) is type(other)
        assert torch.equal(one, other)
    assert places([each.detach() for each in found]) == places([each.detach() for each in made])


@given(tensors())
def test_no_more_is_stored_than_there_is_memory(made):
    layout = lay_out(made, {})
    held = {each.untyped_storage().data_ptr(): each.untyped_storage().nbytes() for each in made}
    stored = sum(each.numel() * each.element_size() for each in layout.entries.values())
    assert stored <= sum(held.values())
