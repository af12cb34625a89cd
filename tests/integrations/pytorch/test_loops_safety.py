"""A program that is watched computes the same bits, and nothing of it is changed or kept alive."""

import copy
import gc
import pickle
import random
import sys
import weakref

import numpy as np
import pytest
import torch
from tests.integrations.pytorch import zoo, zoo_more
from tests.integrations.pytorch.watched import only, runs, turn_off, turn_on
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from autolog.instrument import ongoing, registry


@pytest.fixture(autouse=True)
def listed(monkeypatch, tracking):
    monkeypatch.setitem(registry.BUILTIN, "pytorch", "autolog.pytorch.spec:SPEC")
    yield
    turn_off()


@pytest.fixture
def watched():
    turn_on()


def outcome(loop):
    """Returns the bits that a loop ends with, and those of the random generators."""
    torch.manual_seed(3)
    random.seed(3)
    np.random.seed(3)
    trained = loop()
    bits = []
    for each in trained:
        tensors = each.state_dict().values() if isinstance(each, nn.Module) else [each]
        bits += [tensor.detach().clone() for tensor in tensors]
    return bits, torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()


@pytest.mark.parametrize("loop", zoo_more.LOOPS, ids=lambda loop: loop.__name__)
def test_the_same_bits_with_and_without(loop):
    plain = outcome(loop)
    turn_on()
    seen = outcome(loop)
    assert len(plain[0]) == len(seen[0])
    assert all(map(torch.equal, plain[0], seen[0]))
    assert torch.equal(plain[1], seen[1])
    assert plain[2:] == seen[2:]


def test_no_item_is_asked_for(watched):
    zoo_more.random_items()
    assert only().contexts == ["train"]


def a_model():
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def train(model, optimizer, loader, epochs=1):
    for _ in range(epochs):
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()


def loader_of(n=40, **options):
    X, y = zoo.make_blobs(n)
    return DataLoader(TensorDataset(X, y), batch_size=10, **options)


def test_nothing_is_hung_onto_modules_optimizers_and_loaders(watched):
    model, loader = a_model(), loader_of()
    optimizer = torch.optim.Adam(model.parameters())
    before = [set(vars(each)) for each in (model, optimizer, loader)]
    hooks = [name for name in vars(model) if "hooks" in name]
    train(model, optimizer, loader)
    assert [set(vars(each)) for each in (model, optimizer, loader)] == before
    assert hooks
    assert not any(vars(model)[name] for name in hooks)
    assert set(optimizer.state_dict()) == {"state", "param_groups"}
    assert type(iter(loader)).__name__ == "_SingleProcessDataLoaderIter"
    assert len(runs()) == 1


def test_functions_stay_what_they_are():
    functions = [functional.cross_entropy, torch.autograd.backward, DataLoader.__iter__]
    codes = [each.__code__ for each in functions]
    turn_on()
    assert [functional.cross_entropy, torch.autograd.backward, DataLoader.__iter__] == functions
    assert [each.__code__ for each in functions] != codes
    turn_off()
    assert [each.__code__ for each in functions] == codes
    optimizing = sys.modules["torch.optim.optimizer"]
    assert not optimizing._global_optimizer_post_hooks
    assert not optimizing._global_optimizer_pre_hooks


def test_nothing_is_kept_alive(watched):
    held = []

    def program():
        model, loader = a_model(), loader_of()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        train(model, optimizer, loader)
        held.extend(weakref.ref(each) for each in (model, optimizer, loader, loader.dataset))
        held.extend(weakref.ref(each) for each in model.parameters())

    program()
    gc.collect()
    assert [each() for each in held] == [None] * len(held)
    assert len(runs()) == 1


def test_what_a_running_function_lets_go_of_goes(watched):
    model, loader = a_model(), loader_of()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(model, optimizer, loader)
    gone = weakref.ref(model)
    del model, optimizer
    gc.collect()
    assert gone() is None


def test_graphs_are_not_kept_between_steps(watched):
    model = a_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    X, y = zoo.make_blobs(20)
    nodes = []
    for _ in range(3):
        optimizer.zero_grad()
        output = model(X)
        loss = functional.cross_entropy(output, y)
        nodes.append(weakref.ref(output))
        loss.backward()
        optimizer.step()
        del output, loss
        assert nodes[-1]() is None


def test_evaluation_with_gradients_keeps_no_graph(watched):
    model = a_model()
    X, y = zoo.make_blobs(20)
    output = model(X)
    functional.cross_entropy(output, y)
    gone = weakref.ref(output)
    del output
    assert gone() is None


def test_a_program_s_own_locals_are_left_alone(watched):
    def program(lr=0.1, width=8):
        settings = locals()
        model = nn.Sequential(nn.Linear(6, width), nn.Linear(width, 3))
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        train(model, optimizer, loader_of())
        return settings

    assert program() == {"lr": 0.1, "width": 8}


WAITING = ("item", "cpu", "numpy", "__bool__", "__float__", "__int__", "nonzero")


def test_a_step_waits_for_no_device(watched, monkeypatch):
    model = a_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = loader_of(200)
    train(model, optimizer, loader_of())
    calls = []
    for name in WAITING:
        original = getattr(torch.Tensor, name)

        def noting(*args, _name=name, _original=original, **kwargs):
            calls.append(_name)
            return _original(*args, **kwargs)

        monkeypatch.setattr(torch.Tensor, name, noting)
    batches = iter(loader)
    counted = []
    for xb, yb in batches:
        calls.clear()
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        counted.append(list(calls))
    assert counted == [[]] * 20
    assert len(runs()) == 1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiled_code_is_compiled_as_ever(backend):
    from torch._dynamo.utils import counters

    X, y = zoo.make_blobs(20)

    def compiled():
        torch._dynamo.reset()
        counters.clear()
        torch.manual_seed(0)
        model = a_model()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

        def forward(inputs, targets):
            hidden = functional.mse_loss(model(inputs), torch.zeros(20, 3))
            return functional.cross_entropy(model(inputs), targets) + hidden

        step = torch.compile(forward, backend=backend)
        update = torch.compile(optimizer.step, backend=backend)
        losses = []
        for _ in range(3):
            optimizer.zero_grad()
            loss = step(X, y)
            loss.backward()
            update()
            losses.append(loss.item())
        explained = torch._dynamo.explain(forward)(X, y)
        seen = {key: dict(counters[key]) for key in ("graph_break", "recompiles", "unimplemented")}
        stats = counters["stats"]["unique_graphs"]
        return losses, seen, stats, explained.graph_count, explained.graph_break_count

    plain = compiled()
    turn_on()
    watched = compiled()
    torch._dynamo.reset()
    assert watched == plain
    assert plain[3:] == (1, 0)


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_model_in_a_plain_loop(watched):
    torch._dynamo.reset()
    model = a_model()
    fast = torch.compile(model, backend="eager")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(fast, optimizer, loader_of(), epochs=2)
    torch._dynamo.reset()
    found = only()
    assert found.steps["loss"] == list(range(8))
    assert found.steps["train_accuracy"] == [3, 7]


class Scripted(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(self.layer(x), y)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_script_trace_and_export(watched):
    X, y = zoo.make_blobs(10)
    module = Scripted()
    scripted = torch.jit.script(module)
    assert torch.equal(scripted(X, y), module(X, y))
    traced = torch.jit.trace(module, (X, y))
    assert torch.equal(traced(X, y), module(X, y))
    exported = torch.export.export(module, (X, y)).module()
    assert torch.equal(exported(X, y), module(X, y))
    optimizer = torch.optim.SGD(scripted.parameters(), lr=0.1)
    loss = scripted(X, y)
    loss.backward()
    optimizer.step()
    assert only().steps["loss"] == [0]


def test_gradients_of_functions(watched):
    X, y = zoo.make_blobs(10)
    weights = torch.randn(6, 3)

    def loss(w, x, t):
        return functional.cross_entropy((x @ w)[None], t[None])

    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(weights, X, y)
    assert each.shape == (10, 6, 3)
    assert runs() == []


def test_copies_and_pickles(watched):
    model, loader = a_model(), loader_of()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    train(model, optimizer, loader)
    for each in (model, optimizer, loader):
        copy.deepcopy(each)
        pickle.loads(pickle.dumps(each))
    assert pickle.loads(pickle.dumps(functional.cross_entropy)) is functional.cross_entropy
    assert len(runs()) == 1


def test_workers_of_a_loader(watched):
    model = a_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = loader_of(20, num_workers=2, persistent_workers=True)
    train(model, optimizer, loader, epochs=2)
    del loader
    found = only()
    assert found.steps["epoch"] == [1, 3]
    assert found.params["num_workers"] == "2"


def test_a_deleted_output_in_place(watched):
    """What was written over before it is judged does not count, and breaks nothing."""
    model = a_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    X, y = zoo.make_blobs(20)
    output = model(X)
    loss = functional.cross_entropy(output, y)
    loss.backward()
    with torch.no_grad():
        output.zero_()
    optimizer.step()
    ongoing.close_all()
    assert "train_accuracy" not in only().steps
