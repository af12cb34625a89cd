"""XGBoost: models that load without trust, and predict as any model does.

`log_model` keeps a booster or a fitted estimator as a logged model of the active run, with an id of
its own; `save_model` as a model directory of your choice, which MLflow reads too. `load_model` and
`autolog.pyfunc.load_model` take the address of either.

**What is kept.** The booster as UBJSON (``model_format="json"`` for JSON): trees, feature names and
types, attributes such as the best iteration. Of an estimator also its class, its params and the
results of its evaluation sets, so ``get_params()``, ``missing`` and ``best_iteration`` are as they
were.

**When.** The caller waits for the booster's bytes; the files are written in the background.
Training the same booster further does not change what was logged.

**Who may run code.** Nobody: neither format holds code. A class that is none of XGBoost's, and
Python files in ``code_paths``, ask for trust where another user saved them.

**Limits.** Params that are functions or objects (an objective, a metric, callbacks, a random
generator) are not kept, and a line of the log names them; the model predicts without them. A file
whose bytes changed since is refused; a file made up to do harm is XGBoost's own to withstand.
"""

from __future__ import annotations

# typing.TYPE_CHECKING without loading typing: type checkers take any name of this spelling as true.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from autolog.xgboost.flavor import load_model as load_model
    from autolog.xgboost.flavor import log_model as log_model
    from autolog.xgboost.flavor import save_model as save_model
else:

    def __getattr__(name: str) -> object:
        if name not in ("load_model", "log_model", "save_model"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from autolog.xgboost import flavor

        return getattr(flavor, name)
