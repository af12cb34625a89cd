"""A module as it is at one moment: its architecture as a pickle, its weights as a copy."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from autolog._torch.architecture import read_architecture, write_architecture
from autolog._torch.layout import lay_out, make_tensors
from autolog._torch.weights import FILE as WEIGHTS
from autolog._torch.weights import WeightsCopy, copy_weights
from autolog._torch.wrapper import TorchWrapper
from autolog_core.errors import InvalidArgument
from autolog_core.models import pickles
from autolog_core.models.extra import copy_files
from autolog_core.models.manifest import PYFUNC
from autolog_core.models.memory import BufferPool, MemoryGate
from autolog_core.models.pyfunc import pyfunc_flavor
from autolog_core.models.snapshot import Parts
from autolog_core.models.workshop import Workshop

if TYPE_CHECKING:
    pass

FLAVOR = "pytorch"
DATA = "data"
ARCHITECTURE = "architecture.pkl"
PTH, PT2 = "model.pth", "model.pt2"
PICKLE_INFO = "pickle_module_info.txt"
MLFLOW_LOADER = "autolog.pytorch.mlflow_pickle"


@dataclass(slots=True)
class ModulePayload:
    """A module as it was at one moment.

    Attributes:
        pickled: Its architecture.
        weights: Its weights.
        tools: What models share while they are saved; None to share nothing.
        extra: Files that travel with it.
        reserved: The buffer of the copy is counted.
    """

    pickled: pickles.Pickled
    weights: WeightsCopy
    tools: Workshop | None = None
    extra: tuple[Path, ...] = ()
    reserved: ClassVar[bool] = True

    @property
    def size(self) -> int:
        """Bytes of the copy."""
        return self.weights.size

    @property
    def live(self) -> bool:
        """Whether there was no memory for a copy: the model is written while the caller waits."""
        return self.weights.buffer is None

    def write(self, folder: Path) -> Parts:
        """Writes architecture and weights, and what MLflow's loader looks for."""
        data = folder / DATA
        data.mkdir()
        try:
            if self.tools is None:
                places = self.weights.write(data)
            else:
                places = self.weights.write(data, self.tools.tensors, self.tools.breathe)
        finally:
            self.weights.release()
        (data / ARCHITECTURE).write_bytes(self.pickled.data)
        (data / PTH).write_bytes(_hint())
        (data / PICKLE_INFO).write_text(MLFLOW_LOADER, encoding="utf-8")
        tools = self.tools

        def settled(place: Path) -> None:
            if tools is not None:
                tools.tensors.add(place / DATA, places.values())

        return Parts(
            _flavors(copy_files(self.extra, folder), MLFLOW_LOADER, "safetensors"),
            self.pickled.modules | {"torch"},
            ("torch", "safetensors", "cloudpickle", "autolog-ml"),
            (f"its architecture ({DATA}/{ARCHITECTURE}) is a pickle",),
            weights=tuple(sorted({f"{DATA}/{place.file}" for place in places.values()})),
            settled=settled,
        )


@dataclass(frozen=True, slots=True)
class FilePayload:
    """A module as one of PyTorch's own files.

    Attributes:
        data: The file's bytes.
        file: Its name.
        form: What it is: ``pickle``, ``pt2`` or ``torchscript``.
        modules: Names of the modules that the model's parts come from.
        extra: Files that travel with it.
        loader: Name of the pickle module that MLflow loads it with.
    """

    data: bytes
    file: str
    form: str
    modules: frozenset[str] = frozenset()
    extra: tuple[Path, ...] = ()
    loader: str = "mlflow.pytorch.pickle_module"

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return len(self.data)

    def write(self, folder: Path) -> Parts:
        """Writes the file, and what MLflow's loader looks for."""
        (folder / DATA).mkdir()
        (folder / DATA / self.file).write_bytes(self.data)
        if self.file == PTH:
            (folder / DATA / PICKLE_INFO).write_text(self.loader, encoding="utf-8")
        needed = ("torch", "cloudpickle") if self.form == "pickle" else ("torch",)
        return Parts(
            _flavors(copy_files(self.extra, folder), self.loader, self.form),
            self.modules | {"torch"},
            needed,
            (f"it is a {self.form} file of PyTorch",),
        )


def _flavors(extra: Mapping[str, Any], loader: str, form: str) -> dict[str, Mapping[str, Any]]:
    import torch

    own = {
        "model_data": DATA,
        "pytorch_version": str(torch.__version__),
        "code": None,
        "serialization_format": form,
    }
    predicts = pyfunc_flavor(
        "mlflow.pytorch", data=DATA, pickle_module_name=loader, config={"device": None}
    )
    return {FLAVOR: {**own, **extra}, PYFUNC: predicts}


def _hint() -> bytes:
    """Returns what `torch.load` takes for a checkpoint; it says where the weights are.

    MLflow loads this file with the pickle module that is named beside it, and that module loads the
    model from the whole folder.
    """
    import pickle

    from torch.serialization import MAGIC_NUMBER, PROTOCOL_VERSION

    told = {
        "autolog": "the weights are in model.safetensors or weights-*.safetensors and the "
        "architecture is in architecture.pkl, both beside this file; load the model with "
        "autolog.pytorch.load_model"
    }
    parts: tuple[object, ...] = (MAGIC_NUMBER, PROTOCOL_VERSION, {}, told, [])
    return b"".join(pickle.dumps(part, protocol=2) for part in parts)


def unwrap(model: Any) -> Any:
    """Returns the module inside compiled, parallel and distributed ones.

    Raises:
        InvalidArgument: `model` is no module, or its weights are spread over processes.
    """
    import torch

    while True:
        if not isinstance(model, torch.nn.Module):
            raise InvalidArgument(
                f"pytorch_model must be a torch.nn.Module, got {type(model).__name__}"
            )
        kind = type(model).__name__
        parallel = (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)
        if kind == "OptimizedModule":
            model = model._orig_mod
        elif isinstance(model, parallel):
            model = model.module
        elif kind == "FullyShardedDataParallel":
            raise InvalidArgument(
                "pytorch_model is a FullyShardedDataParallel, each process has a part of its "
                "weights: gather them (get_model_state_dict of "
                "torch.distributed.checkpoint.state_dict, with full_state_dict=True) and log the "
                "module that you load them into"
            )
        else:
            return model


def take(module: Any, tools: Workshop | None, extra: tuple[Path, ...]) -> ModulePayload:
    """Returns a module as it is now.

    Args:
        module: The module.
        tools: What models share while they are saved; None to share nothing.
        extra: Files that travel with it.

    Raises:
        InvalidArgument: It cannot be pickled; the message says what of it.
        StorageError: There is no memory for a copy.
    """
    pickled, tensors = write_architecture(module)
    named = [
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ]
    names: dict[int, str] = {}
    for name, tensor in named:
        names.setdefault(id(tensor), name)
    layout = lay_out(tensors, names)
    numbers = {id(tensor): index for index, tensor in enumerate(tensors)}
    passing = _passing(module)
    state = {
        name: numbers[id(tensor)]
        for name, tensor in named
        if id(tensor) in numbers and name not in passing
    }
    size = sum(each.numel() * each.element_size() for each in layout.entries.values())
    pool = BufferPool(MemoryGate()) if tools is None else tools.buffers
    if pool.fits(size):
        weights = copy_weights(layout, state, pool)
    else:
        weights = WeightsCopy(layout, {}, None, state, 0)
    return ModulePayload(pickled, weights, tools, extra)


def _passing(module: Any) -> frozenset[str]:
    """Returns the names of the buffers that a state dict leaves out."""
    return frozenset(
        f"{prefix}.{name}" if prefix else name
        for prefix, part in module.named_modules(remove_duplicate=False)
        for name in part._non_persistent_buffers_set
    )


def predictor(payload: ModulePayload) -> Callable[..., Any] | None:
    """Returns what predicts as the model will when it is loaded, without touching the user's own.

    It works on a second module that looks into the copy; what its forward changes there is put
    right again. Without a copy there is none.
    """
    if payload.live:
        return None
    return lambda data, params=None: _predict(payload, data, params)


def _predict(payload: ModulePayload, data: Any, params: Mapping[str, Any] | None) -> Any:
    import torch

    weights = payload.weights
    entries = weights.entries()
    before = {name: entry._version for name, entry in entries.items()}
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    tensors = make_tensors(entries, weights.layout.specs)
    with torch.random.fork_rng(devices), torch.no_grad():
        module = read_architecture(payload.pickled.data, tensors)
        module.eval()
        try:
            return TorchWrapper(module).predict(data, params)
        finally:
            for name, entry in entries.items():
                if entry._version != before[name]:
                    entry.copy_(weights.layout.entries[name])
            # Cycles of the user's module must not keep the copy's memory from being used again.
            for tensor in tensors:
                tensor.data = torch.empty(0, dtype=tensor.dtype)


def script_payload(model: Any, extra: tuple[Path, ...]) -> FilePayload:
    """Returns a TorchScript module as its file."""
    import torch

    stream = io.BytesIO()
    torch.jit.save(model, stream)
    return FilePayload(stream.getvalue(), PTH, "torchscript", extra=extra)


def pickle_payload(
    model: Any, module: Any, options: Mapping[str, Any], extra: tuple[Path, ...]
) -> FilePayload:
    """Returns a module as `torch.save` writes it.

    Args:
        model: The module.
        module: A pickle module, or None for one that holds the classes of a script.
        options: Further arguments of `torch.save`.
        extra: Files that travel with it.

    Raises:
        InvalidArgument: It cannot be pickled.
    """
    import torch

    from autolog._torch import cloud

    stream = io.BytesIO()
    try:
        torch.save(model, stream, pickle_module=module or cloud, **options)
    except Exception as error:  # Pickle modules raise whatever the model's parts do.
        raise InvalidArgument(
            f"the model {type(model).__name__} cannot be pickled: {error}"
        ) from error
    modules = write_architecture(model)[0].modules
    loader = "mlflow.pytorch.pickle_module" if module is None else module.__name__
    return FilePayload(stream.getvalue(), PTH, "pickle", modules, extra, loader)


def export_payload(model: Any, example: Any, extra: tuple[Path, ...]) -> FilePayload:
    """Returns a module as `torch.export` traces it from an input example.

    Raises:
        InvalidArgument: There is no example of arrays, or the module cannot be traced.
    """
    import numpy as np
    import torch

    given = example if isinstance(example, (list, tuple)) else (example,)
    if example is None or not all(isinstance(each, (np.ndarray, torch.Tensor)) for each in given):
        raise InvalidArgument(
            "serialization_format='pt2' traces the model with its input_example, which must be an "
            f"array or a tensor, or a list of these, got {type(example).__name__}"
        )
    args = tuple(torch.as_tensor(each) for each in given)
    batch = torch.export.Dim("batch", min=1)
    shapes = tuple({0: batch} if each.ndim and len(each) > 1 else {} for each in args)
    stream = io.BytesIO()
    try:
        with torch.no_grad():
            traced = torch.export.export(model, args, dynamic_shapes=shapes)
        torch.export.save(traced, stream)
    except Exception as error:  # Tracing runs the user's forward, which may raise anything.
        raise InvalidArgument(
            f"the model {type(model).__name__} cannot be exported: {error}"
        ) from error
    return FilePayload(stream.getvalue(), PT2, "pt2", extra=extra)


def is_own(data: Path) -> bool:
    """Whether a folder holds a model as `ModulePayload` writes it."""
    return (data / WEIGHTS).is_file() and (data / ARCHITECTURE).is_file()
