"""Lightning: modules as logged models.

A ``LightningModule`` is a module of PyTorch, and is kept as one: its weights as safetensors, its
class and hyperparameters with the architecture, without the trainer that it is attached to. The
functions are those of `autolog.pytorch`, which has the details.
"""

from __future__ import annotations

# typing.TYPE_CHECKING without loading typing: type checkers take any name of this spelling as true.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from autolog.lightning.flavor import load_model as load_model
    from autolog.lightning.flavor import log_model as log_model
    from autolog.lightning.flavor import save_model as save_model
else:

    def __getattr__(name: str) -> object:
        if name not in ("load_model", "log_model", "save_model"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from autolog.lightning import flavor

        return getattr(flavor, name)
