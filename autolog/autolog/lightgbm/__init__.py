"""LightGBM: models that load without trust, and predict as any model does.

`log_model` keeps a booster or a fitted estimator as a logged model of the active run, with an id of
its own; `save_model` as a model directory of your choice, which MLflow reads too. `load_model` and
`autolog.pyfunc.load_model` take the address of either.

**What is kept.** A booster as LightGBM's text, up to its best iteration, with the categories of
pandas columns. An estimator (``LGBMClassifier`` and its kin) whole: booster, params, classes,
results of the evaluation sets; as skops, which holds values and LightGBM's text.

**When.** The caller waits for the model's bytes; the files are written in the background. Training
the same booster further does not change what was logged.

**Who may run code.** Neither text nor skops with LightGBM's own types holds code. An estimator with
a function of yours (an objective) or of a class of yours is saved with cloudpickle, and a line of
the log says so: that, and Python files in ``code_paths``, ask for trust where another user saved
them.

**Limits.** A file whose bytes changed since is refused; a file made up to do harm is LightGBM's own
to withstand.
"""

from __future__ import annotations

# typing.TYPE_CHECKING without loading typing: type checkers take any name of this spelling as true.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from autolog.lightgbm.flavor import load_model as load_model
    from autolog.lightgbm.flavor import log_model as log_model
    from autolog.lightgbm.flavor import save_model as save_model
else:

    def __getattr__(name: str) -> object:
        if name not in ("load_model", "log_model", "save_model"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from autolog.lightgbm import flavor

        return getattr(flavor, name)
