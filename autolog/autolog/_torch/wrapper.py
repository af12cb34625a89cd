"""Modules that predict as any model does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from autolog_core.data import kinds
from autolog_core.errors import InvalidArgument
from autolog_core.models.tables import as_pandas

if TYPE_CHECKING:
    import torch


class TorchWrapper:
    """A module that predicts from tables and arrays.

    Args:
        module: The module, in evaluation mode.
        device: Where it is and predicts.
    """

    def __init__(self, module: Any, device: str = "cpu") -> None:
        self.pytorch_model = module
        self.device = device

    def get_raw_model(self) -> Any:
        """Returns the module."""
        return self.pytorch_model

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Returns what the module returns, without gradients.

        Args:
            data: A table, whose columns become one tensor of float32; an array or a tensor; a
                mapping of names of arguments to arrays; or a list or tuple of arrays, one for each
                argument.
            params: Further arguments of the module, by name.

        Returns:
            A table with the rows of a table; else arrays in place of the tensors.

        Raises:
            InvalidArgument: The data is of another kind.
        """
        import torch

        given = dict(params or {})
        if "device" in given:
            raise InvalidArgument(
                "device is no param of a prediction; say it when the model is loaded: "
                "load_model(uri, model_config={'device': 'cuda'})"
            )
        args, named = self._arguments(data)
        with torch.no_grad():
            output = self.pytorch_model(*args, **named, **given)
        if kinds.kind_of(data) in kinds.FRAMES and isinstance(output, torch.Tensor):
            import pandas as pd

            values = to_numpy(output)
            return pd.DataFrame(values, index=as_pandas(data).index)
        return to_numpy(output)

    def _arguments(self, data: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        kind = kinds.kind_of(data)
        if kind in kinds.FRAMES:
            values = as_pandas(data).to_numpy(dtype=np.float32)
            return (self._tensor(values),), {}
        if kind == kinds.DICT:
            return (), {name: self._tensor(each) for name, each in data.items()}
        if kind == kinds.LIST and any(_is_array(each) for each in data):
            return tuple(map(self._tensor, data)), {}
        return (self._tensor(data),), {}

    def _tensor(self, value: Any) -> torch.Tensor:
        import torch

        if isinstance(value, torch.Tensor):
            return value.to(self.device)
        try:
            array = np.asarray(value)
            if not array.flags.writeable:
                # A tensor that looks at memory which nobody may write is not safe.
                array = array.copy()
            return torch.from_numpy(array).to(self.device)
        except (TypeError, ValueError) as error:
            raise InvalidArgument(
                "a model of PyTorch predicts from a table, an array, a mapping or a list of "
                f"arrays, got {type(value).__name__}: {error}"
            ) from error


def _is_array(value: Any) -> bool:
    return kinds.kind_of(value) == kinds.ARRAY or hasattr(value, "untyped_storage")


def to_numpy(value: Any) -> Any:
    """Returns a value with arrays in place of its tensors, in tuples, lists and mappings too."""
    import torch

    if isinstance(value, torch.Tensor):
        plain = value.detach().cpu().resolve_conj().resolve_neg()
        # NumPy has no bfloat16; float32 holds all its values.
        plain = plain.float() if plain.dtype == torch.bfloat16 else plain
        # numpy() would forbid the owner of the memory to resize it.
        return plain.clone().numpy()
    if isinstance(value, Mapping):
        return {name: to_numpy(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        found = [to_numpy(each) for each in value]
        if hasattr(value, "_fields"):
            return type(value)(*found)
        return type(value)(found) if type(value) in (list, tuple) else found
    return value
