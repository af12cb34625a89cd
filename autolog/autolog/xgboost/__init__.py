"""XGBoost: one run for each training, and models that load without trust.

**When.** At `xgboost.train` and `xgboost.cv`, wherever they were imported to; at the ``fit`` of the
estimators, of those for dask and Spark, and of classes that derive from them; at loops over
``Booster.update``, which are one run each. What scikit-learn fits for a search or a pipeline, while
its own autologging is on, makes no runs, and neither do the workers of a cluster.

**Where.** In the active run of the thread, else in a run of its own. A second training in the same
run gets a child run.

**What.** Params under MLflow's names; the values of each round as they are reported
(``train-logloss``, ``validation_0-ndcg_at_3``, of `cv` ``test-auc-mean``, ``test-auc-std`` and
``fold_0/test-auc``), linked to references to the data; of an early stopping, however it was asked
for, ``best_iteration``, ``stopped_iteration`` and the best values (``best_valid-logloss``);
importances of the features (``feature_importance_weight.json``); the model, at the step of its best
round, else of its last; checkpoints, if there is a policy for them; a report of what was captured,
skipped and why (``autolog_report.json``).

**What is not done.** Nothing is trained, scored or computed a second time; of the data only a few
rows are predicted. Callbacks of the program are called as without us, and its list of them stays as
it is. No random generator is drawn from.

**Models.** `log_model` keeps a booster or a fitted estimator as a logged model of the active run,
with an id of its own; `save_model` as a model directory of your choice, which MLflow reads too.
`load_model` and `autolog.pyfunc.load_model` take the address of either. Kept are the booster as
UBJSON (``model_format="json"`` for JSON): trees, feature names and types, attributes such as the
best iteration; of an estimator also its class, its params and the results of its evaluation sets.
The caller waits for the booster's bytes; the files are written in the background.

**Who may run code.** Nobody: neither format holds code. A class that is none of XGBoost's, and
Python files in ``code_paths``, ask for trust where another user saved them.

**Limits.** Params that are functions or objects (an objective, a metric, callbacks, a random
generator) are not kept with a model, and a line of the log names them; the model predicts without
them. A file whose bytes changed since is refused; a file made up to do harm is XGBoost's own to
withstand. Asynchronous clients of dask are not watched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def autolog(
    importance_types: Sequence[str] | None = None,
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    model_format: str = "ubj",
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Turns autologging of XGBoost on, or off; these options win over ``autolog.autolog()``.

    Args:
        importance_types: Importances of the features to keep: some of ``weight``, ``gain``,
            ``cover``, ``total_gain``, ``total_cover``. None for ``weight`` alone.
        log_input_examples: Whether models carry the first five rows of their training data.
        log_model_signatures: Whether models carry the schema of their input and output, told from
            these rows.
        log_models: Whether trained models are kept, as logged models of their runs.
        log_datasets: Whether references to the data of training and evaluation are kept.
        disable: Turns the integration off and restores XGBoost.
        exclusive: Logs nothing while a run of the user is active.
        disable_for_unsupported_versions: Leaves versions that were not tested alone.
        silent: No line of ours is printed or logged.
        registered_model_name: No effect yet: this version has no model registry.
        model_format: Of models: ``ubj``, ``json``, or ``xgb``, which is UBJSON under an old name.
        extra_tags: Tags for every autologged run.

    Raises:
        InvalidArgument: An option has a wrong value.
    """
    from autolog.instrument import control

    control.configure(
        "xgboost",
        control.OWN,
        importance_types=importance_types,
        log_input_examples=log_input_examples,
        log_model_signatures=log_model_signatures,
        log_models=log_models,
        log_datasets=log_datasets,
        disable=disable,
        exclusive=exclusive,
        disable_for_unsupported_versions=disable_for_unsupported_versions,
        silent=silent,
        registered_model_name=registered_model_name,
        model_format=model_format,
        extra_tags=extra_tags,
    )
