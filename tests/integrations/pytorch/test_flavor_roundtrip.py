"""Any module comes back as it was: weights bit for bit, ties, types, strides, what is no weight."""

import copy
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

import autolog
import autolog.pyfunc
import autolog.pytorch
from autolog_core.errors import InvalidArgument, NotFound


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(7, 4)
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, x):
        return self.head(self.embed(x).mean(1))


class Odd(nn.Module):
    """Buffers of all kinds, views, a plain attribute, a state of its own."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 3))
        self.frozen = nn.Parameter(torch.randn(3), requires_grad=False)
        self.register_buffer("kept", torch.arange(3))
        self.register_buffer("passing", torch.randn(2), persistent=False)
        self.register_buffer("none", None)
        self.register_buffer("wide", torch.ones(3).expand(4, 3))
        self.register_buffer("turned", torch.randn(3, 5).t())
        self.register_buffer("empty", torch.zeros(0, 3))
        self.register_buffer("flag", torch.tensor([True, False]))
        self.whole = torch.randn(10)
        self.part = self.whole[2:6]
        self.names = {"a": [1, 2.5, None], "b": (torch.float16, torch.device("cpu"))}
        self.weight.note = "mine"

    def forward(self, x):
        return x @ self.weight + self.frozen


def batchnorm():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LazyLinear(2))
    for _ in range(3):
        net(torch.randn(5, 3, 6, 6))
    return net


MODELS = {
    "linear": (lambda: nn.Linear(3, 2), lambda: torch.randn(4, 3)),
    "tied": (Tied, lambda: torch.randint(0, 7, (5, 3))),
    "odd": (Odd, lambda: torch.randn(4, 3)),
    "batchnorm": (batchnorm, lambda: torch.randn(2, 3, 6, 6)),
    "lstm": (lambda: nn.LSTM(3, 4, 2, batch_first=True), lambda: torch.randn(2, 5, 3)),
    "transformer": (
        lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        lambda: torch.randn(2, 3, 8),
    ),
    "half": (lambda: nn.Linear(3, 2).half(), lambda: torch.randn(4, 3).half()),
    "bfloat16": (lambda: nn.Linear(3, 2).bfloat16(), lambda: torch.randn(4, 3).bfloat16()),
    "double": (lambda: nn.Linear(3, 2).double(), lambda: torch.randn(4, 3).double()),
    "channels last": (
        lambda: nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last),
        lambda: torch.randn(2, 3, 6, 6),
    ),
    "normed": (
        lambda: nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)),
        lambda: torch.randn(4, 3),
    ),
    "no weights": (nn.ReLU, lambda: torch.randn(4)),
}


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    def bits(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.detach().contiguous().reshape(-1).view(torch.uint8)

    kinds = (one.dtype, one.shape) == (other.dtype, other.shape)
    return kinds and torch.equal(bits(one), bits(other))


@pytest.mark.parametrize("name", MODELS)
def test_a_module_comes_back_as_it_was(tracking, name):
    make, batch = MODELS[name]
    model, x = make(), batch()
    info = autolog.pytorch.log_model(model, name="net")
    loaded = autolog.pytorch.load_model(info.model_uri)
    assert type(loaded).__name__ == type(model).__name__
    assert not loaded.training
    ours, theirs = loaded.state_dict(), model.state_dict()
    assert list(ours) == list(theirs)
    assert all(same(ours[key], theirs[key]) for key in theirs)
    grads = {key: each.requires_grad for key, each in model.named_parameters()}
    assert {key: each.requires_grad for key, each in loaded.named_parameters()} == grads
    with torch.no_grad():
        expected, found = model.eval()(x), loaded(x)
    for one, other in zip(torch.utils._pytree.tree_leaves(expected),
                          torch.utils._pytree.tree_leaves(found), strict=True):  # fmt: skip
        assert same(one, other)


def test_the_state_dict_is_read_without_the_class(tracking):
    model = Tied()
    info = autolog.pytorch.log_model(model, name="net")
    found = autolog.pytorch.load_state_dict(info.model_uri)
    assert list(found) == ["embed.weight", "head.weight"]
    other = Tied()
    other.load_state_dict(found)
    assert same(other.embed.weight, model.embed.weight)


def test_ties_and_views_hold(tracking):
    tied = autolog.pytorch.load_model(autolog.pytorch.log_model(Tied(), name="tied").model_uri)
    assert tied.head.weight is tied.embed.weight
    assert len(list(tied.parameters())) == 1
    odd = Odd()
    loaded = autolog.pytorch.load_model(autolog.pytorch.log_model(odd, name="odd").model_uri)
    loaded.whole[3] = 99.0
    assert loaded.part[1] == 99.0
    assert odd.whole[3] != 99.0
    assert loaded.wide.stride() == (0, 1)
    assert loaded.turned.stride() == odd.turned.stride()
    assert same(loaded.passing, odd.passing)
    assert loaded.names == odd.names
    assert loaded.weight.note == "mine"
    assert "passing" not in autolog.pytorch.load_state_dict(
        autolog.pytorch.log_model(odd, name="odd").model_uri
    )


def test_two_parameters_over_one_memory_share_it_again(tracking):
    model = nn.Module()
    memory = torch.randn(4, 3)
    model.one, model.other = nn.Parameter(memory), nn.Parameter(memory.t())
    info = autolog.pytorch.log_model(model, name="net")
    loaded = autolog.pytorch.load_model(info.model_uri)
    with torch.no_grad():
        loaded.one[0, 1] = 5.0
    assert loaded.other[1, 0] == 5.0
    assert info.wait()


def test_memory_under_two_types_is_shared_again(tracking):
    model = nn.Module()
    model.register_buffer("floats", torch.randn(6))
    model.register_buffer("bits", model.floats.view(torch.int32)[1:4])
    loaded = autolog.pytorch.load_model(autolog.pytorch.log_model(model, name="net").model_uri)
    assert same(loaded.floats, model.floats)
    assert same(loaded.bits, model.bits)
    loaded.floats[1] = 0.0
    assert loaded.bits[0] == 0


def test_complex_and_sparse_and_quantized_tensors(tracking):
    model = nn.Module()
    model.register_buffer("wave", torch.randn(3, dtype=torch.complex64))
    model.register_buffer("few", torch.eye(3).to_sparse())
    model.register_buffer("eight", torch.randn(3).to(torch.float8_e4m3fn))
    loaded = autolog.pytorch.load_model(autolog.pytorch.log_model(model, name="net").model_uri)
    assert torch.equal(loaded.wave, model.wave)
    assert torch.equal(loaded.few.to_dense(), model.few.to_dense())
    assert same(loaded.eight.view(torch.uint8), model.eight.view(torch.uint8))


def test_what_wraps_a_module_is_taken_off(tracking):
    model = nn.Linear(3, 2)
    for wrapped in (torch.compile(model, backend="eager"), nn.DataParallel(model)):
        info = autolog.pytorch.log_model(wrapped, name="net")
        loaded = autolog.pytorch.load_model(info.model_uri)
        assert type(loaded) is nn.Linear
        assert same(loaded.weight, model.weight)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")
def test_torchscript_is_kept_as_its_file(tracking):
    model = torch.jit.script(nn.Linear(3, 2))
    info = autolog.pytorch.log_model(model, name="net")
    loaded = autolog.pytorch.load_model(info.model_uri)
    x = torch.randn(4, 3)
    assert same(loaded(x), model(x))


@pytest.mark.parametrize("form", ["pickle", "pt2"])
def test_other_formats(tracking, form):
    model, x = nn.Sequential(nn.Linear(3, 2), nn.ReLU()), torch.randn(4, 3)
    info = autolog.pytorch.log_model(model, name="net", input_example=x, serialization_format=form)
    loaded = autolog.pytorch.load_model(info.model_uri)
    assert torch.allclose(loaded(x), model(x))
    assert torch.allclose(loaded(x[:2]), model(x[:2]))
    found = autolog.pyfunc.load_model(info.model_uri).predict(x.numpy())
    assert np.allclose(found, model(x).detach())


def test_a_pickle_is_what_torch_loads(tracking, tmp_path):
    model = nn.Linear(3, 2)
    autolog.pytorch.save_model(model, tmp_path / "m", serialization_format="pickle")
    loaded = torch.load(tmp_path / "m" / "data" / "model.pth", weights_only=False)
    assert same(loaded.weight, model.weight)


def test_what_torch_loads_of_ours_says_where_the_weights_are(tracking, tmp_path):
    autolog.pytorch.save_model(nn.Linear(3, 2), tmp_path / "m")
    told = torch.load(tmp_path / "m" / "data" / "model.pth", weights_only=True)
    assert "autolog.pytorch.load_model" in told["autolog"]


PROGRAM = """
import torch, autolog, autolog.pytorch
class Net(torch.nn.Module):
    factor = 3.0
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(2, 1)
    def forward(self, x):
        return helper(self.inner(x)) * self.factor
def helper(x):
    return x + 1
torch.manual_seed(1)
model = Net()
with autolog.start_run():
    x = torch.ones(1, 2)
    info = autolog.pytorch.log_model(pytorch_model=model, name="net", input_example=x)
print(info.model_uri, model(torch.ones(1, 2)).item())
"""
READER = """
import sys, numpy, autolog.pyfunc
model = autolog.pyfunc.load_model(sys.argv[1])
print(model.predict(numpy.ones((1, 2), "float32"))[0, 0])
try:
    model.predict(numpy.ones((1, 3), "float32"))
except ValueError as error:
    print(type(error).__name__)
"""


def test_a_class_of_a_script_predicts_in_another_process(tmp_path):
    def run(code, *arguments):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=tmp_path, env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    uri, value = run(PROGRAM)
    found, error = run(READER, uri)
    assert float(found) == pytest.approx(float(value))
    assert error == "InvalidArgument"


def test_saving_below_a_path(tmp_path):
    model = Odd()
    autolog.pytorch.save_model(model, tmp_path / "m")
    assert same(autolog.pytorch.load_model(tmp_path / "m").weight, model.weight)
    assert sorted(path.name for path in (tmp_path / "m" / "data").iterdir()) == [
        "architecture.pkl", "model.pth", "model.safetensors", "pickle_module_info.txt",
        "weights.json",
    ]  # fmt: skip


def test_code_and_files_travel_with_a_model(tmp_path, monkeypatch):
    (tmp_path / "my_net.py").write_text("import torch\nclass Net(torch.nn.Linear):\n    pass\n")
    (tmp_path / "notes.txt").write_text("hello")
    monkeypatch.syspath_prepend(tmp_path)
    import my_net

    autolog.pytorch.save_model(
        my_net.Net(3, 2), tmp_path / "m", code_paths=[tmp_path / "my_net.py"],
        extra_files=[tmp_path / "notes.txt"], metadata={"a": 1},
    )  # fmt: skip
    (tmp_path / "my_net.py").unlink()
    code = "import sys, autolog.pytorch; print(type(autolog.pytorch.load_model(sys.argv[1])))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "m")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "my_net.Net" in done.stdout
    assert (tmp_path / "m" / "extra_files" / "notes.txt").read_text() == "hello"


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"pytorch_model": [1]}, InvalidArgument, "must be a torch.nn.Module, got list"),
        ({"serialization_format": "onnx"}, InvalidArgument, "safetensors, pickle, pt2"),
        ({"extra_files": "notes.txt"}, InvalidArgument, "must be a list"),
        ({"extra_files": ["missing.txt"]}, NotFound, "missing.txt"),
        ({"serialization_format": "pt2"}, InvalidArgument, "input_example"),
        ({"export_model": True, "serialization_format": "pickle"}, InvalidArgument, "pt2"),
        ({"signature": 3}, InvalidArgument, "ModelSignature"),
        ({"_use_new_zipfile_serialization": True}, InvalidArgument, "serialization_format"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_logged(tracking, arguments, error, says):
    with autolog.start_run() as run, pytest.raises(error, match=says):
        autolog.pytorch.log_model(**{"pytorch_model": nn.Linear(1, 1), "name": "m", **arguments})
    assert autolog.get_run(run.info.run_id).outputs.model_outputs == ()


def test_what_cannot_be_pickled_is_told(tracking):
    model = nn.Linear(1, 1)
    model.lock = __import__("threading").Lock()
    with autolog.start_run(), pytest.raises(InvalidArgument, match="lock"):
        autolog.pytorch.log_model(model, name="m")


def test_a_module_is_copied_and_pickled_as_before(tracking):
    model = Odd()
    autolog.pytorch.log_model(model, name="m").wait()
    again = copy.deepcopy(model)
    assert same(again.weight, model.weight)
