"""Keras: models that are logged while they are trained, and loaded in any process.

**Models.** `log_model` keeps a model of Keras 3 as a logged model of the active run, with an id of
its own; `save_model` as a model directory of your choice, which MLflow reads too. `load_model` and
`autolog.pyfunc.load_model` take the address of either. All backends of Keras are supported.

**What the caller waits for.** One copy of the weights, of the optimizer's state and of the
architecture. The ``.keras`` file is written from that copy in the background, by no code of the
model, so training goes on and what is kept is the model at the moment of the call.

**What may run.** A ``.keras`` file of Keras's own layers is data. Lambdas, layers that hold a
program of another library, and classes that the process does not know are code: loading such a
model of somebody else's asks for trust.

**Limits.** Trainings are not logged by themselves yet. Models of Keras 2 (``tf_keras``) are not
supported.
"""

from __future__ import annotations

# typing.TYPE_CHECKING without loading typing: type checkers take any name of this spelling as true.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from autolog.keras.flavor import load_model as load_model
    from autolog.keras.flavor import log_model as log_model
    from autolog.keras.flavor import save_model as save_model
else:

    def __getattr__(name: str) -> object:
        if name not in ("load_model", "log_model", "save_model"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from autolog.keras import flavor

        return getattr(flavor, name)
