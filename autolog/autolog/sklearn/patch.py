"""What is watched in scikit-learn, and what is recorded around it.

Every estimator class gets its own ``fit``, ``fit_transform`` and ``fit_predict`` watched: those
that exist when autologging begins, and those that are defined later, as Python tells a base class
of each new subclass. That is a few microseconds per class, and covers the estimators of users and
of other libraries. Methods that a class inherits are watched where they are defined; the mixins'
``fit_transform`` and ``fit_predict`` call ``fit`` and need no watching.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial, wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any

from autolog.instrument import faults, hooks, registry
from autolog_core.errors import InvalidArgument

if TYPE_CHECKING:
    from autolog.instrument.call import Call
    from autolog.instrument.patcher import PatchSet
    from autolog.instrument.recorder import Recorder
    from autolog.sklearn.spec import SklearnOptions
    from autolog_core.entities import Dataset

METHODS = ("fit", "fit_transform", "fit_predict")
# Where cross validation fits clones: patched here, it counts however the user imported the
# functions that call them, and in joblib's threads as well.
FOLDS = (
    "_fit_and_score",
    "_fit_and_predict",
    "_permutation_test_score",
    "_incremental_fit_estimator",
)
# Where classes are made that are pickled by value: on its own, and within joblib.
CLOUDPICKLES = (
    "cloudpickle.cloudpickle",
    "joblib.externals.cloudpickle.cloudpickle",
    "joblib.externals.cloudpickle.cloudpickle_fast",
)
# Estimators with one of these off may write over the X that they are given.
COPYING = ("copy", "copy_X", "copy_x")


def install(patches: PatchSet, module: ModuleType) -> None:
    """Patches what `module`, one of the hooks, holds."""
    from autolog.sklearn.patch_metrics import install_metrics

    install_metrics(patches, module)
    if module.__name__ == "sklearn.model_selection._validation":
        for name in FOLDS:
            if hasattr(module, name):
                patches.silence(module, name, everywhere=True)
    elif module.__name__ == "sklearn.model_selection":
        from autolog.sklearn.patch_folds import install_folds

        install_folds(patches, module)
    elif module.__name__ == "sklearn.utils.parallel":
        # What scikit-learn itself sends to workers, whatever is on in them.
        patches.silence(module._FuncWrapper, "__call__", when=_is_its_own)
    elif module.__name__ == "sklearn.base":
        base = module.BaseEstimator
        _hear_of_subclasses(patches, base)
        _watch_tree(patches, base)
        for name in CLOUDPICKLES:
            hooks.register(name, partial(_hear_of_unpickled, patches))
    elif module.__name__ == "sklearn.utils._set_output":
        # It wraps fit_transform of new subclasses, and ours has to lie outside of that.
        _hear_of_subclasses(patches, module._SetOutputMixin)


def _is_its_own(task: Any) -> bool:
    module: str = getattr(task.function, "__module__", None) or ""
    return module.startswith("sklearn.")


def _watch_tree(patches: PatchSet, base: type) -> None:
    seen = {base}
    stack: list[type] = [base]
    while stack:
        children: list[type] = type.__subclasses__(stack.pop())
        for child in children:
            if child not in seen:
                seen.add(child)
                stack.append(child)
                watch(patches, child)


def watch(patches: PatchSet, owner: type) -> None:
    """Watches the methods that `owner` itself defines, unless its library has its own room."""
    if _is_owned(owner):
        return
    from autolog.sklearn.patch_metrics import follow_methods
    from autolog.sklearn.patch_partial import watch_partial

    for name in METHODS:
        raw = owner.__dict__.get(name)
        if raw is not None and (callable(raw) or hasattr(raw, "__get__")):
            # A fit that returns before it has run cannot be watched; the rest can.
            with suppress(InvalidArgument):
                patches.observe(owner, name, FitObserver)
    follow_methods(patches, owner)
    watch_partial(patches, owner)


def _is_owned(owner: type) -> bool:
    owned = registry.owned_packages()
    return any(base.__module__.partition(".")[0] in owned for base in owner.__mro__)


def _hear_of_subclasses(patches: PatchSet, base: Any) -> None:
    before = base.__dict__.get("__init_subclass__")

    def init_subclass(cls: Any, /, **kwargs: Any) -> None:
        if before is None:
            super(base, cls).__init_subclass__(**kwargs)
        else:
            before.__get__(None, cls)(**kwargs)
        if not patches.live:
            return
        try:
            if _first_to_hear(cls) is base:
                watch(patches, cls)
        except Exception as error:
            faults.record("sklearn", cls.__qualname__, "the definition of a class", error)

    init_subclass.__name__ = "__init_subclass__"
    init_subclass.__qualname__ = f"{base.__qualname__}.__init_subclass__"
    patches.replace(base, "__init_subclass__", classmethod(init_subclass))


def _hear_of_unpickled(patches: PatchSet, module: Any) -> None:
    """Watches classes that are pickled by value, as those of notebooks are.

    Python tells of them when they have no methods yet: those are set one by one afterwards.
    """
    original = module.__dict__.get("_class_setstate")
    if not patches.live or original is None or original.__module__ != module.__name__:
        return

    @wraps(original)
    def class_setstate(obj: Any, state: Any) -> Any:
        made = original(obj, state)
        estimator = getattr(sys.modules.get("sklearn.base"), "BaseEstimator", None)
        if patches.live and estimator in made.__mro__:
            try:
                watch(patches, made)
            except Exception as error:
                faults.record("sklearn", made.__qualname__, "the arrival of a class", error)
        return made

    patches.replace(module, "_class_setstate", class_setstate)


def _first_to_hear(cls: type) -> type | None:
    """Returns the base whose `__init_subclass__` returns last, which is the first in order."""
    estimator = getattr(sys.modules.get("sklearn.base"), "BaseEstimator", None)
    mixin = getattr(sys.modules.get("sklearn.utils._set_output"), "_SetOutputMixin", None)
    if estimator not in cls.__mro__:
        return None
    return next(base for base in cls.__mro__ if base in (estimator, mixin))


class FitObserver:
    """Records one training of an estimator."""

    def __init__(self, options: SklearnOptions) -> None:
        self._options = options
        self._dataset: Dataset | None = None
        self._answer: Any = None
        self._started = 0
        self._step = 0

    def wants(self, call: Call) -> bool:
        """Whether the estimator is one that is trained, rather than one that prepares data."""
        from autolog.sklearn import extract

        return extract.is_loggable(call.instance)

    def title(self, call: Call) -> str:
        """Returns the name of the estimator's class."""
        return type(call.instance).__name__

    def before(self, call: Call, recorder: Recorder) -> None:
        """Records tags, params and the data as they are before the fit."""
        from autolog.sklearn import extract, patch_search

        estimator = call.instance
        self._started = patch_search.now()
        with recorder.part("tags"):
            recorder.tags(extract.estimator_tags(estimator))
        with recorder.part("params"):
            recorder.params(extract.estimator_params(estimator))
        if not self._options.log_datasets:
            recorder.skipped("dataset", "log_datasets is False")
            return
        with recorder.part("dataset"):
            features, target, _ = training_data(call)
            self._dataset = extract.dataset_of(features, target)
            if self._dataset is None:
                recorder.skipped("dataset", f"no reference can be made to {_kind(features)}")
            else:
                recorder.dataset(self._dataset, "train", features)

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records the metrics on the training data, the model and its diagram."""
        from autolog.sklearn import extract, extract_curves, patch_model, patch_search

        estimator = call.instance
        if extract.is_search(estimator):
            patch_search.record_search(
                estimator, recorder, self._options, started=self._started, dataset=self._dataset
            )
        with recorder.part("learning curves"):
            self._step = extract_curves.record_curves(estimator, recorder, self._dataset)
        with recorder.part("training metrics"):
            self._metrics(call, recorder)
        with recorder.part("estimator diagram"):
            recorder.artifact("estimator.html", extract.estimator_diagram(estimator))
        with recorder.part("model"):
            features, _, _ = training_data(call)
            patch_model.log_estimator(
                estimator, recorder, self._options, features, self._answer, step=self._step
            )
            if extract.is_search(estimator):
                patch_model.log_best_estimator(estimator, recorder, self._options, step=self._step)

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Notes that there is nothing to measure."""
        recorder.skipped("training metrics", "the fit failed")

    def _metrics(self, call: Call, recorder: Recorder) -> None:
        from autolog.sklearn import extract, patch_model
        from autolog.sklearn.state import kept_attributes

        estimator = call.instance
        features, target, weight = training_data(call)
        if self._overwritten(estimator, features, target):
            recorder.skipped("training metrics", "the fit wrote over its training data")
            return
        with kept_attributes(estimator):
            values = extract.training_metrics(
                estimator, features, target, weight, pos_label=self._options.pos_label
            )
        for name, why in values.skipped.items():
            recorder.skipped(name, why)
        if not values and not values.skipped:
            recorder.skipped("training metrics", "none is defined for this estimator and data")
        recorder.metrics(values, step=self._step, dataset=self._dataset)
        self._answer = values.answer
        if values.labelled is not None:
            with recorder.part("pictures"):
                patch_model.draw_classifier(values.labelled, recorder)

    def _overwritten(self, estimator: Any, features: Any, target: Any) -> bool:
        from autolog.sklearn import extract
        from autolog.sklearn.state import deep_params

        if all(
            value is not False or key.rpartition("__")[2] not in COPYING
            for key, value in deep_params(estimator).items()
        ):
            return False
        now = extract.dataset_of(features, target)
        return self._dataset is None or now is None or now.digest != self._dataset.digest


def training_data(call: Call) -> tuple[Any, Any, Any]:
    """Returns X, y and the sample weights that a fit was called with; None for what is not there.

    The weights are the argument ``sample_weight``, or what a pipeline passes on to its last step.
    """
    passed = call.arguments()
    features = passed.get("X", next(iter(passed.values()), None))
    target = next((passed[name] for name in ("y", "Y", "target") if name in passed), None)
    weight = passed.get("sample_weight")
    prefix, last = "", call.instance
    while weight is None and isinstance(steps := getattr(last, "steps", None), list) and steps:
        prefix, last = f"{prefix}{steps[-1][0]}__", steps[-1][1]
        weight = passed.get(f"{prefix}sample_weight")
    return features, target, weight


def _kind(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
