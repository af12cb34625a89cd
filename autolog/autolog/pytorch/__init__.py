"""PyTorch: modules as logged models, with their weights as safetensors.

`log_model` keeps a module as a logged model of the active run, with an id of its own; `save_model`
as a model directory of your choice, which MLflow reads too. `load_model` and
`autolog.pyfunc.load_model` take the address of either.

**The caller waits for a copy of the weights**, and for one prediction where there is an input
example; this runs on a second module that looks into the copy, so that neither the user's module
nor its random numbers change. Hashing and writing happen in the background. Where copies come
faster than the disk takes them, the next one waits before memory runs short.

**Weights are stored once.** What an earlier model of this process holds unchanged, as frozen layers
are, gets a second name in the new directory. Each directory is complete by itself.

**Any module**: classes of a script, tied weights, views, buffers, half precision, quantized and
sparse tensors. Compiled and parallel modules are kept as what they wrap, TorchScript as its own
file. The architecture is a pickle: yours loads without a word, one from elsewhere asks for trust.
`load_state_dict` reads the weights alone and runs no code.
"""

from __future__ import annotations

# typing.TYPE_CHECKING without loading typing: type checkers take any name of this spelling as true.
TYPE_CHECKING = False

_FUNCTIONS = (
    "load_model",
    "load_state_dict",
    "log_model",
    "log_state_dict",
    "save_model",
    "save_state_dict",
)

if TYPE_CHECKING:
    from autolog.pytorch.flavor import load_model as load_model
    from autolog.pytorch.flavor import load_state_dict as load_state_dict
    from autolog.pytorch.flavor import log_model as log_model
    from autolog.pytorch.flavor import log_state_dict as log_state_dict
    from autolog.pytorch.flavor import save_model as save_model
    from autolog.pytorch.flavor import save_state_dict as save_state_dict
else:

    def __getattr__(name: str) -> object:
        if name not in _FUNCTIONS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from autolog.pytorch import flavor

        return getattr(flavor, name)
