"""TensorFlow: models of Keras, and modules of TensorFlow, logged and loaded in any process.

**Models.** `log_model` keeps a model of Keras 3, or a `tf.Module`, as a logged model of the active
run, with an id of its own; `save_model` as a model directory of your choice, which MLflow reads
too. `load_model` and `autolog.pyfunc.load_model` take the address of either.

**What the caller waits for.** For a model of Keras, one copy of its weights and its architecture:
the file is written from that copy in the background. A module of TensorFlow can only be saved by
tracing its functions, so the caller waits until its SavedModel is written to a temporary folder.

**What may run.** A ``.keras`` file of Keras's own layers is data. A SavedModel is a program of
TensorFlow, and custom objects are pickles: somebody else's ask for trust.

**Limits.** Trainings are not logged by themselves yet. Models of Keras 2 and estimators of
TensorFlow 1 are not supported.
"""

from __future__ import annotations

# typing.TYPE_CHECKING without loading typing: type checkers take any name of this spelling as true.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from autolog.tensorflow.flavor import load_model as load_model
    from autolog.tensorflow.flavor import log_model as log_model
    from autolog.tensorflow.flavor import save_model as save_model
else:

    def __getattr__(name: str) -> object:
        if name not in ("load_model", "log_model", "save_model"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from autolog.tensorflow import flavor

        return getattr(flavor, name)
