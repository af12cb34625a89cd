"""The logged model is the model at the call; the user's own, and the random numbers, stay as is."""

import random

import numpy as np
import pytest
import torch
from torch import nn

import autolog
import autolog.pyfunc
import autolog.pytorch
from autolog._torch import snapshot
from autolog_core.errors import InvalidArgument, InvalidState, NotFound
from autolog_core.models.memory import BufferPool
from autolog_core.session import default_session


class Counting(nn.Module):
    """A forward that changes the module, draws random numbers, and looks at its mode."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 2)
        self.drop = nn.Dropout(0.5)
        self.register_buffer("calls", torch.zeros(1))
        self.seen = []

    def forward(self, x):
        self.calls += 1
        self.seen.append(self.training)
        return self.drop(self.inner(x)) + torch.rand(1)


def test_what_is_trained_on_is_not_what_was_logged(tracking):
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    kept, logged = [], []
    with autolog.start_run():
        for step in range(5):
            optimizer.zero_grad()
            model(torch.randn(8, 3)).square().sum().backward()
            optimizer.step()
            kept.append({name: each.clone() for name, each in model.state_dict().items()})
            logged.append(autolog.pytorch.log_model(model, name="net", step=step))
    for expected, info in zip(kept, logged, strict=True):
        found = autolog.pytorch.load_model(info.model_uri).state_dict()
        assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_the_users_module_and_random_numbers_stay_as_they_are(tracking):
    model = Counting()
    model.drop.eval()
    modes = [each.training for each in model.modules()]
    before = (torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist())
    info = autolog.pytorch.log_model(model, name="net", input_example=np.ones((2, 3), "float32"))
    after = (torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist())
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]
    assert [each.training for each in model.modules()] == modes
    assert model.calls == 0
    assert model.seen == []
    assert all(each.grad is None for each in model.parameters())
    loaded = autolog.pytorch.load_model(info.model_uri)
    # Nor does the prediction for the signature show in what was saved.
    assert loaded.calls == 0
    assert loaded.seen == []
    assert info.signature.outputs.to_dict()[0]["tensor-spec"]["shape"] == [-1, 2]


def test_training_with_and_without_logging_is_bit_identical(tracking):
    def train(log):
        torch.manual_seed(3)
        model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.3), nn.ReLU(), nn.Linear(8, 1))
        optimizer = torch.optim.Adam(model.parameters())
        for step in range(10):
            optimizer.zero_grad()
            model(torch.randn(16, 3)).square().mean().backward()
            optimizer.step()
            if log:
                autolog.pytorch.log_model(
                    model, name="net", step=step, input_example=torch.ones(1, 3)
                )
        return model.state_dict()

    plain = train(False)
    with autolog.start_run():
        logged = train(True)
    assert all(torch.equal(plain[name], logged[name]) for name in plain)


def test_memory_is_used_again(tracking):
    model = nn.Linear(1000, 1000)
    pool = default_session().saving.workshop().buffers
    with autolog.start_run():
        autolog.pytorch.log_model(model, name="net", input_example=torch.ones(1, 1000)).wait()
        places = {id(each) for each in pool._idle}
        assert len(places) == 1
        autolog.pytorch.log_model(model, name="net", input_example=torch.ones(1, 1000)).wait()
    assert {id(each) for each in pool._idle} == places
    assert default_session().saving.workshop().memory.held == 0


def test_a_module_that_keeps_what_it_predicted_does_not_spoil_the_copy(tracking):
    class Keeping(nn.Linear):
        last = None

        def forward(self, x):
            Keeping.last = self.weight.detach()
            return super().forward(x)

    model = Keeping(500, 500)
    with autolog.start_run():
        infos = []
        for step in range(3):
            with torch.no_grad():
                model.weight.fill_(step)
            infos.append(
                autolog.pytorch.log_model(model, name="net", input_example=torch.ones(1, 500))
            )
    for step, info in enumerate(infos):
        assert (autolog.pytorch.load_model(info.model_uri).weight == step).all()


def test_without_memory_for_a_copy_the_caller_waits(tracking, monkeypatch):
    # The one decision that no small machine reaches: all else of the way is real.
    monkeypatch.setattr(BufferPool, "fits", lambda self, size: False)
    model = nn.Linear(3, 2)
    expected = model.weight.detach().clone()
    with autolog.start_run():
        info = autolog.pytorch.log_model(model, name="net", input_example=torch.ones(1, 3))
        with torch.no_grad():
            model.weight.zero_()
    assert torch.equal(autolog.pytorch.load_model(info.model_uri).weight, expected)
    assert info.signature.inputs is not None


@pytest.mark.parametrize(
    "example",
    [
        torch.ones(2, 3),
        np.ones((2, 3), "float32"),
        __import__("pandas").DataFrame(np.ones((2, 3)), columns=list("abc")),
    ],
    ids=["tensor", "array", "frame"],
)
def test_an_input_example_makes_the_signature(tracking, example):
    model = nn.Linear(3, 2)
    info = autolog.pytorch.log_model(model, name="net", input_example=example)
    loaded = autolog.pyfunc.load_model(info.model_uri)
    found = loaded.predict(loaded.input_example)
    assert np.allclose(np.asarray(found), model(torch.ones(2, 3)).detach().numpy())
    assert type(found).__name__ == ("DataFrame" if hasattr(example, "columns") else "ndarray")


def test_several_inputs_and_outputs(tracking):
    class Two(nn.Module):
        def forward(self, left, right):
            return {"sum": left + right, "both": (left, right)}

    model = Two()
    given = {"left": torch.ones(2), "right": torch.zeros(2)}
    info = autolog.pytorch.log_model(model, name="net", input_example=given, signature=False)
    found = autolog.pyfunc.load_model(info.model_uri).predict(
        {name: each.numpy() for name, each in given.items()}
    )
    assert found["sum"].tolist() == [1.0, 1.0]
    assert [each.tolist() for each in found["both"]] == [[1.0, 1.0], [0.0, 0.0]]
    pair = autolog.pyfunc.load_model(info.model_uri).predict([np.ones(1), np.ones(1)])
    assert pair["sum"].tolist() == [2.0]


def test_a_forward_that_fails_costs_only_the_outputs(tracking, caplog):
    model = nn.Linear(3, 2)
    with autolog.start_run():
        info = autolog.pytorch.log_model(model, name="net", input_example=torch.ones(2, 4))
    assert info.wait()
    assert info.signature.outputs is None
    assert "cannot predict from its input example" in caplog.text


def test_a_failed_log_gives_its_memory_back(tracking):
    model = nn.Linear(300, 300)
    held = default_session().saving.workshop().memory
    with autolog.start_run(), pytest.raises(ValueError, match="metadata"):
        autolog.pytorch.log_model(model, name="net", metadata=3)
    assert held.held == 0


def test_the_payload_lets_go_of_the_users_memory(tracking):
    model = nn.Linear(300, 300)
    taken = autolog.pytorch.flavor.snapshot(model)
    assert all(each.is_meta for each in taken.payload.weights.layout.entries.values())
    assert isinstance(taken.payload, snapshot.ModulePayload)


def test_whoever_reads_a_model_waits_for_its_files(tracking):
    model = nn.Linear(2000, 500)
    client = autolog.MlflowClient()
    with autolog.start_run():
        for step in range(3):
            info = autolog.pytorch.log_model(model, name="net", step=step)
            assert autolog.get_logged_model(info.model_id).status == "READY"
            info = autolog.pytorch.log_model(model, name="net", step=step)
            assert client.get_logged_model(info.model_id).status == "READY"
            autolog.pytorch.log_model(model, name="net", step=step)
            found = autolog.search_logged_models(output_format="list")
            assert [each.status for each in found] == ["READY"] * len(found)
            autolog.pytorch.log_model(model, name="net", step=step)
            assert autolog.last_logged_model().status == "READY"


def test_a_model_that_was_begun_by_hand_gets_its_files(tracking):
    begun = autolog.initialize_logged_model("net", params={"depth": 1}, tags={"a": "1"})
    model = nn.Linear(3, 2)
    with autolog.start_run() as run:
        info = autolog.pytorch.log_model(
            model, model_id=begun.model_id, step=4, params={"width": 2}, tags={"b": "2"}
        )
    assert info.model_id == begun.model_id
    kept = autolog.get_logged_model(begun.model_id)
    assert kept.status == "READY"
    assert kept.name == "net"
    assert kept.params == {"depth": "1", "width": "2"}
    assert {kept.tags[key] for key in "ab"} == {"1", "2"}
    made = autolog.get_run(run.info.run_id).outputs.model_outputs
    assert [(each.model_id, each.step) for each in made] == [(begun.model_id, 4)]
    assert torch.equal(autolog.pytorch.load_model(info.model_uri).weight, model.weight)


def test_a_model_gets_files_once(tracking):
    begun = autolog.initialize_logged_model("net")
    model = nn.Linear(3, 2)
    with pytest.raises(InvalidArgument, match="is not that of model"):
        autolog.pytorch.log_model(model, name="other", model_id=begun.model_id)
    with pytest.raises(InvalidArgument, match="model_type='tree' is not that of model"):
        autolog.pytorch.log_model(model, model_type="tree", model_id=begun.model_id)
    with pytest.raises(NotFound):
        autolog.pytorch.log_model(model, model_id="m-" + "0" * 32)
    autolog.pytorch.log_model(model, model_id=begun.model_id)
    for _ in range(2):
        # While it is written, and when it is.
        with pytest.raises(InvalidState, match="without model_id"):
            autolog.pytorch.log_model(model, model_id=begun.model_id)
        autolog.get_logged_model(begun.model_id)


def test_tensors_of_the_user_can_still_be_resized(tracking, monkeypatch):
    model, example = nn.Linear(3, 2, bias=False), torch.ones(2, 3)
    with autolog.start_run():
        autolog.pytorch.log_model(model, name="net", input_example=example)
        monkeypatch.setattr(BufferPool, "fits", lambda self, size: False)
        autolog.pytorch.log_model(model, name="net")
    example.resize_(5, 3)
    model.weight.requires_grad_(False).resize_(7, 7)
