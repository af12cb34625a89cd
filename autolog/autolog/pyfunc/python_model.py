"""Models written in Python: what users subclass, and how they are loaded again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autolog_core.errors import InvalidArgument
from autolog_core.models import pickles
from autolog_core.models.code import importable
from autolog_core.models.locate import inside
from autolog_core.models.manifest import PYFUNC, Model
from autolog_core.models.trust import require_trust

LOADER = "mlflow.pyfunc.model"
FILE = "python_model.pkl"


class PythonModelContext:
    """What a Python model finds when it is loaded.

    Args:
        artifacts: Paths of its files, by the names that they were saved under.
        model_config: Values that it was saved or loaded with.
    """

    def __init__(
        self, artifacts: Mapping[str, str], model_config: Mapping[str, Any] | None
    ) -> None:
        self.artifacts = dict(artifacts)
        self.model_config = None if model_config is None else dict(model_config)


class PythonModel:
    """A model written in Python.

    A subclass has ``predict(self, context, model_input, params=None)``, or, where it has no need of
    the context, ``predict(self, model_input, params=None)``; `params` may be left out too.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Loads what the model needs from its files. Called once, before the first prediction."""

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Returns the prediction for `model_input`."""
        raise NotImplementedError(f"{type(self).__name__} has no method predict")

    def predict_stream(
        self, context: Any, model_input: Any, params: dict[str, Any] | None = None
    ) -> Iterator[Any]:
        """Yields the prediction for `model_input` piece by piece."""
        raise NotImplementedError(f"{type(self).__name__} has no method predict_stream")

    @property
    def predict_type_hints(self) -> SimpleNamespace:
        """Types that MLflow converts input to, when it loads the model: none."""
        return SimpleNamespace(input=None, output=None)


class FunctionModel(PythonModel):
    """A function as a model."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:  # type: ignore[override]
        """Returns what the function does."""
        if params and takes(self.function, "params"):
            return self.function(model_input, params=params)
        return self.function(model_input)


def takes(function: Callable[..., Any], name: str) -> bool:
    """Returns whether a function has a parameter of this name."""
    return name in inspect.signature(function).parameters


class PythonModelWrapper:
    """A Python model that predicts as any model does."""

    def __init__(self, python_model: Any, context: PythonModelContext) -> None:
        self.python_model = python_model
        self.context = context
        self._predict = _bind(python_model.predict, context)

    def get_raw_model(self) -> Any:
        """Returns the object of the user's class."""
        return self.python_model

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Returns the prediction."""
        return self._predict(data, params)

    def predict_stream(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Returns an iterator over the prediction."""
        return _bind(self.python_model.predict_stream, self.context)(data, params)


def _bind(method: Callable[..., Any], context: PythonModelContext) -> Callable[..., Any]:
    """Returns a function of data and params, whichever arguments the user's method has."""
    names = [name for name in inspect.signature(method).parameters if name != "params"]
    with_params = "params" in inspect.signature(method).parameters
    with_context = "context" in names or len(names) == 2

    def call(data: Any, params: dict[str, Any] | None) -> Any:
        given = {"params": params} if with_params else {}
        return method(context, data, **given) if with_context else method(data, **given)

    return call


def predictor(python_model: Any) -> Callable[..., Any]:
    """Returns what predicts with a Python model before it is saved, from data and params."""
    return PythonModelWrapper(python_model, PythonModelContext({}, None)).predict


def load_pyfunc(
    folder: Path,
    model: Model,
    trust: bool | None,
    model_config: Mapping[str, Any] | None = None,
) -> PythonModelWrapper:
    """Loads the Python model of a model directory, of autolog or of MLflow.

    Raises:
        PermissionDenied: Nobody trusts it: it is a pickle.
        InvalidArgument: It is damaged, or packages that it needs are missing.
    """
    conf = model.flavors[PYFUNC]
    file = inside(folder, conf.get("python_model"), "python_model")
    if conf.get("python_model_compression"):
        raise InvalidArgument(f"{folder} is compressed; save the model without compression")
    code = conf.get("code")
    reasons = [f"it is a {pickles.CLOUDPICKLE} file"]
    if code:
        reasons.append(f"it brings Python files in {code}/")
    require_trust(folder, model, reasons, trust)
    artifacts = {
        name: str(inside(folder, each.get("path"), f"artifact {name!r}"))
        for name, each in (conf.get("artifacts") or {}).items()
    }
    context = PythonModelContext(artifacts, model_config)
    with importable(inside(folder, code, "code") if code else None):
        python_model = pickles.load(file)
        python_model.load_context(context)
    return PythonModelWrapper(python_model, context)
