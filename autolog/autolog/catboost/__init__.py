"""CatBoost: one run for each training, and models that load without trust.

**When.** At the outermost ``fit`` of ``CatBoost``, ``CatBoostClassifier``, ``CatBoostRegressor``,
``CatBoostRanker`` and of classes that derive from them; at ``catboost.train``, ``catboost.cv`` and
``sample_gaussian_process``, however they were imported; at ``grid_search``, ``randomized_search``
and ``select_features``. What these fit inside belongs to their run; a search has child runs for its
best candidates. Folds of scikit-learn's searches make no runs.

**Where.** In the active run of the thread, else in a run of its own. A second training in the same
run gets a child run.

**What.** The params of the model and of the fit, all params as CatBoost resolved them
(``catboost_params.json``); every value that CatBoost reports, at its iteration, from 0, under its
own names (``learn-Logloss``, ``validation-AUC``, ``validation_0-AUC``); references to the data that
is trained on and evaluated, with labels, Pools included; importances of features
(``feature_importance_PredictionValuesChange.json``); a report of what was captured, skipped and why
(``autolog_report.json``). ``best_iteration`` and ``best_validation-AUC`` are logged wherever there
is an evaluation set, ``stopped_iteration`` wherever the overfitting detector is on.

**Live.** Curves appear while a training goes on if its data is large enough for CatBoost's callback
to cost less than a hundredth of it, or the fit has callbacks anyway; else at its end. Of a fit that
fails, they are those that CatBoost wrote to its folder, with ten digits.

**Models.** The model, as a logged model at the iteration of its last tree, which is the best one
where CatBoost keeps that: its metrics are those of that iteration. With a checkpoint policy
(`autolog.set_checkpoint_policy`) its first trees are logged as what it was on the way. `log_model`
keeps a model by hand, `save_model` as a model directory of your choice, which MLflow reads too;
`load_model` and `autolog.pyfunc.load_model` take the address of either. A model is kept as
CatBoost's cbm, with all that it holds, or as JSON (``format="json"``), with the last digits of
numbers rounded. Neither holds code.

**Limits.** A class that derives from one of CatBoost's is loaded as CatBoost's own, and losses and
metrics that are Python objects are not kept; the model predicts without them. A file whose bytes
changed since is refused; a file made up to do harm is CatBoost's own to withstand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    importance_types: Sequence[str] | None = None,
    max_tuning_runs: int | None = 5,
) -> None:
    """Turns autologging of CatBoost on, or off; these options win over ``autolog.autolog()``.

    Args:
        log_input_examples: Whether models carry the first rows of the training data.
        log_model_signatures: Whether models carry the schema of their input and output.
        log_models: Whether trained models are kept, checkpoints included.
        log_datasets: Whether references to the data are kept.
        disable: Turns the integration off and restores CatBoost.
        exclusive: Logs nothing while a run of the user is active.
        disable_for_unsupported_versions: Leaves versions that were not tested alone.
        silent: No line of ours is printed or logged.
        registered_model_name: No effect yet: this version has no model registry.
        extra_tags: Tags for every autologged run.
        importance_types: Kinds of feature importance: "PredictionValuesChange", the one that is
            kept by default, and "LossFunctionChange", which needs the training data once more.
        max_tuning_runs: Child runs of a search over params at most, for the best candidates; None
            for all.

    Raises:
        InvalidArgument: An option has a wrong value.
    """
    from autolog.instrument import control

    control.configure(
        "catboost",
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
        importance_types=importance_types,
        max_tuning_runs=max_tuning_runs,
    )
