"""scikit-learn: one run for each training, with nothing to add to the training code.

**When.** At the outermost ``fit``, ``fit_transform`` or ``fit_predict`` of any estimator that
derives from `sklearn.base.BaseEstimator`: those of scikit-learn, of other libraries, and the
user's own. Pipelines, searches and other meta-estimators are one run, with whatever they fit
inside. Transformers for preprocessing, imputation, feature extraction and feature selection are
no training and make no run; neither do ``cross_val_score`` and its kin.

**Where.** In the active run of the thread, else in a run of its own. A second training in the same
run gets a child run: params are written once, and mixed with another training's they would lie.

**What.** Params (``get_params``), the tags ``estimator_name`` and ``estimator_class``, a reference
to the training data with a digest over all of it, training metrics, the estimator's diagram
(``estimator.html``) and a report of what was captured, skipped and why (``autolog_report.json``).
The metrics are MLflow's: ``training_precision_score``, ``training_recall_score``,
``training_f1_score``, ``training_accuracy_score``, ``training_log_loss``, ``training_roc_auc`` of
classifiers, ``training_mean_squared_error``, ``training_root_mean_squared_error``,
``training_mean_absolute_error``, ``training_r2_score`` of regressors, and ``training_score``.

**When a fit fails**, its exception reaches the program untouched and is kept with its traceback: a
run of the fit's own ends FAILED, a run of the user stays open.

**Models.** `log_model` keeps a fitted estimator as a logged model of the active run, with an id of
its own; `save_model` as a model directory of your choice, which MLflow reads too. `load_model` and
`autolog.pyfunc.load_model` take the address of either.

**Limits.** Fitted models, child runs of searches and metrics computed after the fit are not kept
yet. Worker processes of joblib do not log what user code fits there, and ``partial_fit`` is not
logged. What an estimator of the user fits in threads of its own, other than joblib's, makes runs.
"""

from __future__ import annotations

from collections.abc import Mapping

# typing.TYPE_CHECKING without loading typing: type checkers take any name of this spelling as true.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from autolog.sklearn.flavor import load_model as load_model
    from autolog.sklearn.flavor import log_model as log_model
    from autolog.sklearn.flavor import save_model as save_model
else:

    def __getattr__(name: str) -> object:
        if name not in ("load_model", "log_model", "save_model"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from autolog.sklearn import flavor

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
    max_tuning_runs: int | None = 5,
    log_post_training_metrics: bool = True,
    serialization_format: str = "cloudpickle",
    registered_model_name: str | None = None,
    pos_label: object = None,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Turns autologging of scikit-learn on, or off; these options win over ``autolog.autolog()``.

    Args:
        log_input_examples: Whether models carry the first five rows of their training data.
        log_model_signatures: Whether models carry the schema of their input and output, told from
            these rows.
        log_models: Whether fitted models are kept, as logged models of their runs.
        log_datasets: Whether a reference to the training data is kept.
        disable: Turns the integration off and restores scikit-learn.
        exclusive: Logs nothing while a run of the user is active.
        disable_for_unsupported_versions: Leaves versions that were not tested alone.
        silent: No line of ours is printed or logged.
        max_tuning_runs: Child runs of a parameter search at most, the best ones; None for all.
        log_post_training_metrics: Whether scores that are computed after the fit are kept with the
            run whose model they judge.
        serialization_format: Of models: ``cloudpickle``, ``pickle`` or ``skops``. Skops files load
            without trust, and take far longer to write.
        registered_model_name: No effect yet: this version has no model registry.
        pos_label: The positive class of a two-class problem, to which precision, recall and F1
            then refer; by default they are averages over the classes, weighted by their size.
        extra_tags: Tags for every autologged run.

    Raises:
        InvalidArgument: An option has a wrong value.
    """
    from autolog.instrument import control

    control.configure(
        "sklearn",
        control.OWN,
        log_input_examples=log_input_examples,
        log_model_signatures=log_model_signatures,
        log_models=log_models,
        log_datasets=log_datasets,
        disable=disable,
        exclusive=exclusive,
        disable_for_unsupported_versions=disable_for_unsupported_versions,
        silent=silent,
        max_tuning_runs=max_tuning_runs,
        log_post_training_metrics=log_post_training_metrics,
        serialization_format=serialization_format,
        registered_model_name=registered_model_name,
        pos_label=pos_label,
        extra_tags=extra_tags,
    )
