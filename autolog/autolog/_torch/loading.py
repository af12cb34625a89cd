"""Loading modules from model directories, of autolog or of MLflow."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autolog._torch.architecture import read_architecture
from autolog._torch.snapshot import ARCHITECTURE, FLAVOR, PT2, PTH, is_own
from autolog._torch.weights import read_weights
from autolog._torch.wrapper import TorchWrapper
from autolog_core.config import read_settings
from autolog_core.errors import InvalidArgument, NotFound
from autolog_core.models.flavors import flavor_conf, trusted
from autolog_core.models.locate import inside
from autolog_core.models.manifest import Model, read_manifest
from autolog_core.models.trust import require_trust

STATE = "state_dict.pth"


def load(folder: Path, model: Model, trust: bool | None, map_location: Any = None) -> Any:
    """Loads the module of a model directory, in evaluation mode.

    Raises:
        NotSupported: It is no model of PyTorch.
        PermissionDenied: Loading it runs code, and nobody trusts it.
        InvalidArgument: The directory or its file is damaged.
        NotFound: A file is missing.
    """
    conf = flavor_conf(folder, model, FLAVOR, "PyTorch")
    data = inside(folder, conf.get("model_data"), "model_data")
    own = is_own(data)
    reason = "its architecture is a pickle" if own else "it is a pickle or traced code"
    with trusted(folder, model, conf, [reason], trust):
        if not own:
            return _load_file(data, map_location)
        module = load_folder(data)
    return module if map_location is None else module.to(map_location)


def load_folder(data: Path) -> Any:
    """Loads architecture and weights of a folder; the first may run any code.

    Raises:
        InvalidArgument: A file is damaged.
        NotFound: One is missing.
    """
    weights = read_weights(data)
    return read_architecture((data / ARCHITECTURE).read_bytes(), weights.tensors).eval()


def _load_file(data: Path, map_location: Any) -> Any:
    import torch

    where = torch.device("cpu") if map_location is None else map_location
    try:
        if (data / PT2).is_file():
            return torch.export.load(data / PT2).module()
        if not (data / PTH).is_file():
            raise NotFound(f"{data} has neither {PTH} nor {PT2}")
        if _is_script(data / PTH):
            return torch.jit.load(data / PTH, map_location=where).eval()
        return torch.load(data / PTH, map_location=where, weights_only=False).eval()
    except (pickle.UnpicklingError, EOFError, ImportError, AttributeError, RuntimeError) as error:
        raise InvalidArgument(
            f"{data} cannot be loaded: {error}; it needs the packages of the requirements.txt "
            "beside it"
        ) from error


def _is_script(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def load_pyfunc(
    folder: Path,
    model: Model,
    trust: bool | None,
    model_config: Mapping[str, Any] | None = None,
) -> TorchWrapper:
    """Loads the module of a model directory, to predict as any model does."""
    import torch

    device = (model_config or {}).get("device") or read_settings().prediction_device
    if device is None:
        device = "cuda:0" if torch.cuda.is_available() else "cpu"
    return TorchWrapper(load(folder, model, trust, device), str(device))


def load_state(folder: Path, trust: bool | None) -> dict[str, Any]:
    """Loads a state dict: of a model directory, or of a folder that `save_state_dict` wrote.

    Raises:
        NotFound: There is none.
        PermissionDenied: It holds more than tensors and plain values, and nobody trusts it.
        InvalidArgument: It is damaged.
    """
    import torch

    if (folder / STATE).is_file():
        try:
            found: dict[str, Any] = torch.load(
                folder / STATE, map_location="cpu", weights_only=not trust
            )
        except pickle.UnpicklingError as error:
            reason = f"{STATE} holds more than tensors and plain values"
            require_trust(folder, Model(), [reason], trust)
            raise InvalidArgument(f"{folder / STATE} cannot be loaded: {error}") from error
        except (EOFError, RuntimeError) as error:
            raise InvalidArgument(f"{folder / STATE} is damaged: {error}") from error
        return found
    model = read_manifest(folder)
    conf = model.flavors.get(FLAVOR)
    data = None if conf is None else inside(folder, conf.get("model_data"), "model_data")
    if data is not None and is_own(data):
        return read_weights(data).state_dict()
    loaded: dict[str, Any] = load(folder, model, trust, "cpu").state_dict()
    return loaded
