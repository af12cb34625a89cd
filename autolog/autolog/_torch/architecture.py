"""A module without its weights, as a pickle; and a module from such a pickle and weights."""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autolog_core.errors import InvalidArgument
from autolog_core.models import pickles

if TYPE_CHECKING:
    import torch

# The name under which the pickle asks for a tensor; `_Reader` answers.
_PLACE = (__name__, "tensor_at")


def tensor_at(index: int) -> Any:
    """Stands for a tensor in the pickle; it is never called by that name."""
    raise pickle.UnpicklingError(
        f"tensor {index} is kept beside this file; load the model with autolog.pytorch.load_model"
    )


def set_attributes(tensor: Any, attributes: dict[str, Any]) -> None:
    """Gives a tensor back what the user's code had written on it."""
    tensor.__dict__.update(attributes)


def new_module(kind: type) -> Any:
    """Returns a module without anything in it."""
    return object.__new__(kind)


def set_parametrized(module: Any, state: dict[str, Any]) -> None:
    """Fills a module whose weights are computed from others, as `reduce` took it apart."""
    from torch.nn.utils import parametrize

    module.__dict__.update(state)
    parametrize._inject_new_class(module)
    for name in module.parametrizations:
        parametrize._inject_property(module, name)


def _parametrized(module: Any) -> Any:
    """Returns how to pickle a module of a class that PyTorch made for it alone."""
    state = {name: each for name, each in module.__dict__.items() if name != "_compiled_call_impl"}
    return new_module, (type(module).__bases__[0],), state, None, None, set_parametrized


def write_architecture(module: Any) -> tuple[pickles.Pickled, list[torch.Tensor]]:
    """Returns a module as a pickle, and the tensors that it holds places for, in order.

    Raises:
        InvalidArgument: It cannot be pickled; the message says what of it.
    """
    import torch
    from torch.nn.utils.parametrize import is_parametrized

    plain = (torch.Tensor, torch.nn.Parameter)
    found: list[torch.Tensor] = []

    def reduce(part: Any) -> Any:
        if type(part) not in plain or not _is_simple(part):
            is_module = isinstance(part, torch.nn.Module)
            return _parametrized(part) if is_module and is_parametrized(part) else NotImplemented
        found.append(part)
        place = (tensor_at, (len(found) - 1,))
        attributes = part.__dict__
        return (*place, dict(attributes), None, None, set_attributes) if attributes else place

    what = f"the model {type(module).__name__}"
    return pickles.dump(module, what, pickle.HIGHEST_PROTOCOL, reduce), found


def _is_simple(tensor: torch.Tensor) -> bool:
    """Whether a tensor is values in memory and nothing else; others are pickled as they are."""
    import torch

    return (
        tensor.layout == torch.strided
        and tensor.device.type != "meta"
        and not tensor.is_quantized
        and not tensor.is_nested
        and not tensor.is_conj()
        and not tensor.is_neg()
    )


class _Reader(pickle.Unpickler):
    def __init__(self, data: bytes, tensors: Sequence[torch.Tensor]) -> None:
        super().__init__(io.BytesIO(data))
        self._tensors = tensors

    def find_class(self, module: str, name: str) -> Any:
        """Answers with the tensors where the pickle asks for one."""
        if (module, name) == _PLACE:
            return self._tensors.__getitem__
        return super().find_class(module, name)


def read_architecture(data: bytes, tensors: Sequence[torch.Tensor]) -> Any:
    """Returns the module of a pickle, which may run any code: ask for trust before.

    Raises:
        InvalidArgument: The pickle is damaged, or needs modules that are not installed.
    """
    try:
        return _Reader(data, tensors).load()
    except (pickle.UnpicklingError, EOFError, ImportError, AttributeError, IndexError) as error:
        raise InvalidArgument(
            f"the model's architecture cannot be loaded: {error}; it needs the packages of the "
            "requirements.txt beside it, and the classes that it was saved from"
        ) from error
