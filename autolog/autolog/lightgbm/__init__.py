"""LightGBM: one run for each training, and models that load without trust.

**When.** At ``lightgbm.train`` and ``lightgbm.cv``, however they were imported; at the ``fit`` of
``LGBMClassifier``, ``LGBMRegressor``, ``LGBMRanker``, of classes that derive from them, and of the
estimators of ``lightgbm.dask`` (on the driver, never on a worker); and at loops over
``Booster.update``, which are one training until another one begins. Folds of scikit-learn's
searches and cross validations make no runs.

**Where.** In the active run of the thread, else in a run of its own. A second training in the same
run gets a child run.

**What.** Params under the names that LightGBM was given; every value that LightGBM reports, at its
iteration, while it trains, as ``valid_0-auc`` (``@`` becomes ``_at_``), and for ``cv`` as
``valid-auc-mean``, ``valid-auc-stdv`` and ``fold_0/valid-auc``; references to the data that is
trained on and evaluated, with labels; importances (``feature_importance_split.json`` and ``gain``);
a report of what was captured, skipped and why (``autolog_report.json``).

**Steps** are iterations from 0. ``best_iteration`` and ``stopped_iteration`` are LightGBM's own
numbers, which count from 1: the best values are at step ``best_iteration - 1``, and are kept as
``best_valid_0-auc`` as well. They are logged however early stopping was asked for.

**Models.** The booster of ``train``, the estimator of ``fit``, as a logged model at the step of its
best iteration, else of its last: its metrics are those of that step. With a checkpoint policy
(`autolog.set_checkpoint_policy`) boosters are logged on the way too. `log_model` keeps one by hand,
`save_model` as a model directory of your choice, which MLflow reads too; `load_model` and
`autolog.pyfunc.load_model` take the address of either. A booster is kept as LightGBM's text, up to
its best iteration; an estimator whole, as skops, with the same text inside. Neither holds code. One
with a function or class of yours is saved with cloudpickle, and loading it asks for trust where
another user saved it.

**Limits.** ``Booster.refit`` makes no run. A ``lightgbm.Sequence`` and a collection of dask are not
read: their references tell class, length or graph. A file whose bytes changed is refused when a
model is loaded; a file made up to do harm is LightGBM's own to withstand.
"""

from __future__ import annotations

from collections.abc import Mapping

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


def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Turns autologging of LightGBM on, or off; these options win over ``autolog.autolog()``.

    Args:
        log_input_examples: Whether models carry the first rows of the training data.
        log_model_signatures: Whether models carry the schema of their input and output.
        log_models: Whether trained models are kept, checkpoints included.
        log_datasets: Whether references to the data are kept.
        disable: Turns the integration off and restores LightGBM.
        exclusive: Logs nothing while a run of the user is active.
        disable_for_unsupported_versions: Leaves versions that were not tested alone.
        silent: No line of ours is printed or logged.
        registered_model_name: No effect yet: there is no model registry.
        extra_tags: Tags for every autologged run.

    Raises:
        InvalidArgument: An option has a wrong value.
    """
    from autolog.instrument import control

    control.configure(
        "lightgbm",
        control.OWN,
        log_input_examples=log_input_examples,
        log_model_signatures=log_model_signatures,
        log_models=log_models,
        log_datasets=log_datasets,
        disable=disable,
        exclusive=exclusive,
        disable_for_unsupported_versions=disable_for_unsupported_versions,
        silent=silent,
        registered_model_name=registered_model_name,
        extra_tags=extra_tags,
    )
