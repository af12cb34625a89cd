"""CatBoost: models that load without trust, and predict as any model does.

`log_model` keeps a fitted model as a logged model of the active run, with an id of its own;
`save_model` as a model directory of your choice, which MLflow reads too. `load_model` and
`autolog.pyfunc.load_model` take the address of either.

**What is kept.** All that CatBoost's format cbm holds: trees, categories, class labels, names of
features, params, the best iteration and the results of the evaluation sets. ``format="json"`` keeps
the same as readable text, with the last digits of numbers rounded.

**When.** The caller waits for the model's bytes; the files are written in the background. Training
the same model further does not change what was logged.

**Who may run code.** Nobody: neither format holds code. Python files in ``code_paths`` ask for
trust where another user saved them.

**Limits.** A class that derives from one of CatBoost's is loaded as CatBoost's own, and losses and
metrics that are Python objects are not kept; the model predicts without them. A file whose bytes
changed since is refused; a file made up to do harm is CatBoost's own to withstand.
"""

from __future__ import annotations

# typing.TYPE_CHECKING without loading typing: type checkers take any name of this spelling as true.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from autolog.catboost.flavor import load_model as load_model
    from autolog.catboost.flavor import log_model as log_model
    from autolog.catboost.flavor import save_model as save_model
else:

    def __getattr__(name: str) -> object:
        if name not in ("load_model", "log_model", "save_model"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from autolog.catboost import flavor

        return getattr(flavor, name)
