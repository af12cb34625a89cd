"""Loading a model of any flavor, and predicting with it."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from autolog.instrument.models import model_folder
from autolog_core.errors import InvalidArgument, NotSupported
from autolog_core.models.code import importable
from autolog_core.models.enforce import fit_input
from autolog_core.models.environment import mismatches
from autolog_core.models.locate import inside
from autolog_core.models.manifest import PYFUNC, Model, read_manifest
from autolog_core.models.params import fit_params
from autolog_core.models.schema import ParamSchema, Schema
from autolog_core.models.trust import require_trust

_logger = logging.getLogger("autolog")

# MLflow's name of a loader, as manifests have it, and the module of ours that does its work.
LOADERS = {
    "mlflow.catboost": "autolog.catboost.flavor",
    "mlflow.keras": "autolog.keras.flavor",
    "mlflow.lightgbm": "autolog.lightgbm.flavor",
    "mlflow.pyfunc.model": "autolog.pyfunc.python_model",
    "mlflow.pytorch": "autolog.pytorch.flavor",
    "mlflow.sklearn": "autolog.sklearn.flavor",
    "mlflow.tensorflow": "autolog.tensorflow.flavor",
    "mlflow.xgboost": "autolog.xgboost.flavor",
}


class PyFuncModel:
    """A loaded model, whatever its flavor. `load_model` makes it.

    Args:
        model_meta: Its manifest.
        model_impl: What predicts.
        predict_fn: The method of it that does.
        streams: Whether it predicts piece by piece as well.
        input_example: The input example that was saved with it.
    """

    def __init__(
        self,
        model_meta: Model,
        model_impl: Any,
        predict_fn: str = "predict",
        streams: bool = False,
        input_example: Any = None,
    ) -> None:
        if not hasattr(model_impl, predict_fn):
            raise InvalidArgument(
                f"the model {type(model_impl).__name__} has no method {predict_fn!r}, which its "
                "manifest names as the one that predicts"
            )
        self.metadata = model_meta
        self.input_example = input_example
        self._model_impl = model_impl
        self._predict = getattr(model_impl, predict_fn)
        self._stream = getattr(model_impl, "predict_stream", None) if streams else None
        self._with_params = _takes_params(self._predict)
        self._stream_with_params = self._stream is not None and _takes_params(self._stream)

    @property
    def model_id(self) -> str | None:
        """The logged model that it belongs to."""
        return self.metadata.model_id

    @property
    def input_schema(self) -> Schema | None:
        """What it takes."""
        return self.metadata.get_input_schema()

    @property
    def params_schema(self) -> ParamSchema | None:
        """The params of prediction."""
        return self.metadata.get_params_schema()

    @property
    def loader_module(self) -> str | None:
        """MLflow's name of the module that loads it."""
        return self.metadata.flavors.get(PYFUNC, {}).get("loader_module")

    @property
    def model_config(self) -> Mapping[str, Any]:
        """The values that it was saved with."""
        found: Mapping[str, Any] = self.metadata.flavors.get(PYFUNC, {}).get("config") or {}
        return found

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Returns the prediction for data.

        Args:
            data: A table or column of pandas, polars or Arrow, an array, a sparse matrix, a
                mapping, a list, or a single value: what the signature says, or can be brought to
                it without loss (see `autolog_core.models.enforce`). A model without signature gets
                it as it is.
            params: Values of the params that the signature names.

        Returns:
            What the model returns.

        Raises:
            InvalidArgument: The data or a param does not fit the signature; the message lists what
                is wrong.
        """
        return self._call(self._predict, self._with_params, data, params)

    def predict_stream(self, data: Any, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Returns an iterator over the prediction for data, as `predict`.

        Raises:
            NotSupported: The model does not predict piece by piece.
        """
        if self._stream is None:
            raise NotSupported("this model has no predict_stream; use predict")
        found: Iterator[Any] = self._call(self._stream, self._stream_with_params, data, params)
        return found

    def _call(
        self, method: Any, with_params: bool, data: Any, params: Mapping[str, Any] | None
    ) -> Any:
        if not self.metadata.is_signature_from_type_hint:
            data = fit_input(data, self.input_schema)
        given = fit_params(params, self.params_schema)
        if with_params:
            return method(data, params=given)
        if given:
            _logger.warning("the model takes no params: %s are ignored", ", ".join(given))
        return method(data)

    def unwrap_python_model(self) -> Any:
        """Returns the object of the user's class that a Python model was saved from.

        Raises:
            NotSupported: It is no Python model.
        """
        found = getattr(self._model_impl, "python_model", None)
        if found is None:
            raise NotSupported("this is no Python model; get_raw_model() returns what it wraps")
        return found

    def get_raw_model(self) -> Any:
        """Returns what the flavor's own `load_model` would.

        Raises:
            NotSupported: The model was loaded by a module of the user's, which offers no such.
        """
        if not hasattr(self._model_impl, "get_raw_model"):
            raise NotSupported(f"{type(self._model_impl).__name__} wraps no other model")
        return self._model_impl.get_raw_model()

    def __repr__(self) -> str:
        named = f" {self.model_id}" if self.model_id else ""
        return f"<PyFuncModel{named} loaded by {self.loader_module}>"


def _takes_params(method: Any) -> bool:
    try:
        return "params" in inspect.signature(method).parameters
    except (TypeError, ValueError):
        # What is written in C may tell nothing of its parameters.
        return False


def load_model(
    model_uri: str | os.PathLike[str],
    suppress_warnings: bool = False,
    model_config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    *,
    trust: bool | None = None,
) -> PyFuncModel:
    """Loads a model of any flavor, saved by autolog or by MLflow.

    Args:
        model_uri: ``models:/<model id>``, ``runs:/<run id>/<name>``, its directory, or the
            ``file:`` address of it.
        suppress_warnings: Says nothing when other versions of packages are installed than the
            model was saved with.
        model_config: Values that count instead of those that the model was saved with, or a YAML
            file of such.
        trust: Whether the model may run code when it is loaded. Absent, the setting
            ``AUTOLOG_TRUST_MODELS`` says so, or that this user saved it.

    Raises:
        NotFound: There is no model.
        NotSupported: It does not predict, or needs a library that is not installed.
        PermissionDenied: Loading it runs code, and nobody trusts it.
        InvalidArgument: The directory or a file is damaged.
    """
    folder = Path(model_folder(model_uri))
    model = read_manifest(folder)
    conf = model.flavors.get(PYFUNC)
    if conf is None or not isinstance(conf.get("loader_module"), str):
        held = ", ".join(model.flavors) or "none"
        raise NotSupported(
            f"{folder} does not predict by itself: it has no flavor {PYFUNC!r}, but {held}; load "
            "it with the library's own load_model"
        )
    if not suppress_warnings and (others := mismatches(folder)):
        _logger.warning(
            "%s was saved with other versions: %s; pip install -r %s/requirements.txt",
            folder,
            ", ".join(others),
            folder,
        )
    implementation = _load(folder, model, read_config(conf.get("config"), model_config), trust)
    return PyFuncModel(
        model,
        implementation,
        str(conf.get("predict_fn", "predict")),
        bool(conf.get("streamable", False)),
        model.load_input_example(folder),
    )


def read_config(
    saved: Mapping[str, Any] | None,
    given: Mapping[str, Any] | str | os.PathLike[str] | None,
) -> dict[str, Any] | None:
    """Returns the values of a model: those given, and those saved where none is given.

    Raises:
        InvalidArgument: They are no mapping, or the file cannot be read.
    """
    if isinstance(given, (str, os.PathLike)):
        import yaml

        try:
            given = yaml.safe_load(Path(given).read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise InvalidArgument(f"model_config {given} cannot be read: {error}") from error
    if given is not None and not isinstance(given, Mapping):
        raise InvalidArgument(f"model_config must be a mapping or a YAML file, got {given!r}")
    return {**(saved or {}), **(given or {})} or None


def _load(folder: Path, model: Model, config: Mapping[str, Any] | None, trust: bool | None) -> Any:
    conf = model.flavors[PYFUNC]
    name = conf["loader_module"]
    ours = LOADERS.get(name)
    if ours is not None:
        loader = import_module(ours)
        if takes_config(loader.load_pyfunc):
            return loader.load_pyfunc(folder, model, trust, config)
        return loader.load_pyfunc(folder, model, trust)
    code = conf.get("code")
    require_trust(folder, model, [f"its loader {name!r} may be any code"], trust)
    data = inside(folder, conf["data"], "data") if conf.get("data") else folder
    with importable(inside(folder, code, "code") if code else None):
        try:
            module = import_module(name)
        except ModuleNotFoundError as error:
            raise NotSupported(
                f"{folder} is loaded by the module {name!r}, which cannot be imported: {error}; "
                "install it, or save the model with it in code_paths"
            ) from error
        arguments = (str(data),) if config is None else (str(data), config)
        return module._load_pyfunc(*arguments)


def takes_config(function: Any) -> bool:
    """Returns whether a loader takes the values that a model was saved with."""
    return "model_config" in inspect.signature(function).parameters
