"""``fit`` of LightGBM's estimators, those of dask included: each is one training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autolog.lightgbm import extract, extract_data, patch_data, patch_model
from autolog.lightgbm.patch_train import in_fold, log_params
from autolog.lightgbm.progress import Progress, with_progress

if TYPE_CHECKING:
    from autolog.instrument.call import Call
    from autolog.instrument.recorder import Recorder
    from autolog.instrument.spec import Options
    from autolog_core.entities import Dataset


class FitObserver:
    """Records one training of an estimator; its iterations are those of the ``train`` inside."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._estimator: Any = None
        self._trainings = 0
        self._progress: Progress | None = None
        self._datasets: dict[str, Dataset] = {}
        self._rows: Any = None

    def wants(self, call: Call) -> bool:
        """Whether it is a training of the user's, and no fold of scikit-learn's."""
        return not in_fold()

    def title(self, call: Call) -> str:
        """Returns the name of the estimator's class."""
        return type(call.instance).__name__

    def before(self, call: Call, recorder: Recorder) -> None:
        """Records tags and data; with dask, which trains elsewhere, the params as well."""
        self._estimator, cls = call.instance, type(call.instance)
        with recorder.part("tags"):
            name = f"{cls.__module__}.{cls.__name__}"
            recorder.tags({"estimator_name": cls.__name__, "estimator_class": name})
        with recorder.part("dataset"):
            self._record_data(call, recorder)
        if is_dask(call.instance):
            with recorder.part("params"):
                recorder.params(extract.estimator_params(call.instance))
            if recorder.wants_checkpoints():
                recorder.skipped("checkpoints", "the training is on the workers of dask")

    def train(self, call: Call, recorder: Recorder) -> Call | None:
        """Sees the training inside of ``fit``, with the params that LightGBM is given.

        A ``fit`` of the user's own may train more than once: metrics of the second training end
        with ``-2``, because steps of two trainings in one curve would lie.
        """
        self._trainings += 1
        suffix = "" if self._trainings == 1 else f"-{self._trainings}"
        if self._trainings == 1:
            with recorder.part("params"):
                log_params(call, recorder, "train", extract.estimator_params(self._estimator))
        with recorder.part("dataset"):
            self._record_inner(call, recorder)
        checkpoint = patch_model.checkpoints(recorder, self._options, self._rows)
        self._progress = Progress(recorder, self._datasets, checkpoint, suffix)
        return with_progress(call, self._progress)

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records where it stopped, the importances and the model."""
        estimator = model = call.instance
        if is_dask(estimator):
            with recorder.part("curves"):
                self._progress = self._record_curves(estimator, recorder)
            model = estimator.to_local()
        if model._Booster is None:
            # A fit of the user's own need not train what it is called on.
            recorder.skipped("model", "the estimator has no booster after its fit")
            recorder.trained(estimator)
            return
        step = patch_model.log_end(recorder, model.booster_, self._progress)
        with recorder.part("model"):
            patch_model.log_model(model, recorder, self._options, self._rows, step, estimator)

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Records the params if the training did not begin."""
        recorder.skipped("model", "the training failed")
        if not self._trainings and not is_dask(call.instance):
            with recorder.part("params"):
                recorder.params(extract.estimator_params(call.instance))

    def _record_data(self, call: Call, recorder: Recorder) -> None:
        passed = call.arguments()
        features = passed.get("X", next(iter(passed.values()), None))
        labels = passed.get("y")
        if self._options.log_models:
            self._rows = extract_data.few_rows(features)
        if not self._options.log_datasets:
            recorder.skipped("dataset", "log_datasets is False")
            return
        pairs = extract.eval_pairs(passed)
        same = [pair[0] is features and pair[1] is labels for pair in pairs]
        names = extract.names_of(same, passed.get("eval_names"))
        own = next((name for name, known in names if known and passed.get("eval_names")), None)
        reference = self._record(recorder, features, labels, "train", own)
        for (name, known), pair in zip(names, pairs, strict=True):
            found = reference if known else self._record(recorder, *pair, "eval", name)
            if found is not None:
                self._datasets[name] = found

    def _record(
        self, recorder: Recorder, features: Any, labels: Any, context: str, name: str | None
    ) -> Dataset | None:
        reference = extract_data.reference_of(features, labels)
        return patch_data.log_reference(recorder, reference, features, context, name)

    def _record_inner(self, call: Call, recorder: Recorder) -> None:
        """Records the evaluation sets that only the inside of ``fit`` knows of.

        A ``fit`` of the user's own may make some. A classifier of LightGBM 4.7 numbers the classes
        of y, and then does not know it again where it is `eval_y` too.
        """
        if not self._options.log_datasets:
            return
        arguments = call.arguments()
        for each, name, same in extract.evaluated(arguments):
            if name not in self._datasets and not same and extract.is_dataset(each):
                known = patch_data.record(recorder, self._options, each, "eval", name)
                if known.reference is not None:
                    self._datasets[name] = known.reference

    def _record_curves(self, estimator: Any, recorder: Recorder) -> Progress:
        """Records what the worker whose model it is has reported."""
        found = Progress(recorder, self._datasets)
        for dataset, metrics in estimator.evals_result_.items():
            for metric, values in metrics.items():
                key = extract.key_of(dataset, metric)
                recorder.curve(key, values, dataset=self._datasets.get(dataset))
                found.last = len(values) - 1
        return found


def is_dask(estimator: Any) -> bool:
    """Whether an estimator is trained by the workers of dask."""
    return any(base.__name__ == "_DaskLGBMModel" for base in type(estimator).__mro__)


def see_training(observer: Any, call: Call, recorder: Recorder) -> Call | None:
    """Sees ``train`` where an estimator calls it; for `PatchSet.observe`."""
    if isinstance(observer, FitObserver):
        return observer.train(call, recorder)
    return None
