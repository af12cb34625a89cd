"""The file ``MLmodel``: what a model directory says about itself.

Reading it runs no code of the model and imports none of its libraries.
"""

from __future__ import annotations

import datetime
import functools
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autolog_core.errors import InvalidArgument, NotFound
from autolog_core.models.locate import local_model
from autolog_core.models.schema import ParamSchema, Schema
from autolog_core.models.signature import ModelSignature

FILE = "MLmodel"
PYFUNC = "python_function"
_LONGEST = 16 * 2**20
_KNOWN = (
    "artifact_path",
    "flavors",
    "metadata",
    "mlflow_version",
    "model_id",
    "model_size_bytes",
    "model_uuid",
    "run_id",
    "saved_input_example_info",
    "utc_time_created",
)


def _now() -> str:
    return str(datetime.datetime.now(datetime.UTC).replace(tzinfo=None))


@dataclass(frozen=True)
class Model:
    """What a model directory says about itself.

    Attributes:
        flavors: How to load the model, by flavor; names of files are relative to the directory.
        signature: What it takes and gives.
        saved_input_example_info: Names and kind of the input example.
        metadata: What the user keeps with the model.
        model_size_bytes: Size of the model's files, without the manifest, in bytes.
        run_id: The run that made it.
        model_id: The logged model that it belongs to.
        model_uuid: Id of this directory.
        utc_time_created: When it was written, in UTC.
        artifact_path: Where a run keeps it, relative to the run.
        mlflow_version: Version of MLflow that wrote it; None where autolog did.
        is_signature_from_type_hint: Whether the model itself checks its input.
        type_hint_from_example: Whether that is by the type of the input example.
        extra: Fields that are not known here, kept as they are.
    """

    flavors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    signature: ModelSignature | None = None
    saved_input_example_info: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    model_size_bytes: int | None = None
    run_id: str | None = None
    model_id: str | None = None
    model_uuid: str | None = field(default_factory=lambda: uuid.uuid4().hex)
    utc_time_created: str = field(default_factory=_now)
    artifact_path: str | None = None
    mlflow_version: str | None = None
    is_signature_from_type_hint: bool = False
    type_hint_from_example: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    def get_input_schema(self) -> Schema | None:
        """Returns the schema of the input; None where nothing is said."""
        return None if self.signature is None else self.signature.inputs

    def get_output_schema(self) -> Schema | None:
        """Returns the schema of the output; None where nothing is said."""
        return None if self.signature is None else self.signature.outputs

    def get_params_schema(self) -> ParamSchema | None:
        """Returns the params of prediction; None where nothing is said."""
        return None if self.signature is None else self.signature.params

    def load_input_example(self, path: str | os.PathLike[str]) -> Any:
        """Returns the input example that is kept in the model directory `path`, or None."""
        from autolog_core.models.example import read_example

        return read_example(self, Path(local_model(path)))

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields as ``MLmodel`` holds them, without those that say nothing."""
        found = {name: getattr(self, name) for name in _KNOWN}
        found["flavors"] = {name: dict(each) for name, each in self.flavors.items()}
        if self.signature is not None:
            found["signature"] = self.signature.to_dict()
            found["is_signature_from_type_hint"] = self.is_signature_from_type_hint
            found["type_hint_from_example"] = self.type_hint_from_example
        return {**{k: v for k, v in found.items() if v is not None}, **self.extra}

    def to_yaml(self) -> str:
        """Returns the text of ``MLmodel``.

        Raises:
            InvalidArgument: `metadata` or a flavor holds what YAML cannot.
        """
        import yaml

        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        try:
            text: str = yaml.dump(
                _plain(self.to_dict()), Dumper=dumper, default_flow_style=False, allow_unicode=True
            )
        except yaml.YAMLError as error:
            raise InvalidArgument(
                f"metadata of a model must be text, numbers, lists and mappings: {error}"
            ) from error
        return text

    def get_model_info(self) -> ModelInfo:
        """Returns what is said about the model, under MLflow's names."""
        address = f"models:/{self.model_id}" if self.model_id else f"runs:/{self.run_id}"
        if not self.model_id and self.artifact_path:
            address += f"/{self.artifact_path}"
        return ModelInfo(self, address)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Reads the manifest of a model directory, or the manifest itself.

        Raises:
            NotFound: There is none.
            InvalidArgument: It cannot be read as one.
        """
        place = Path(local_model(path))
        return read_manifest(place.parent if place.name == FILE and place.is_file() else place)

    @classmethod
    def from_dict(cls, model_dict: Mapping[str, Any]) -> Model:
        """Returns the manifest that has these fields.

        Raises:
            InvalidArgument: A field is of the wrong kind.
        """
        fields = dict(model_dict)
        signature = fields.pop("signature", None)
        flavors = fields.pop("flavors", None) or {}
        if not isinstance(flavors, Mapping) or not all(
            isinstance(each, Mapping) for each in flavors.values()
        ):
            raise InvalidArgument(f"flavors of a model must be mappings, got {flavors!r}")
        read: dict[str, Any] = {
            name: fields.pop(name, None) for name in _KNOWN if name != "flavors"
        }
        read["utc_time_created"] = str(read["utc_time_created"] or "")
        for name in ("is_signature_from_type_hint", "type_hint_from_example"):
            read[name] = bool(fields.pop(name, False))
        return cls(
            flavors=dict(flavors),
            signature=ModelSignature.from_dict(signature) if signature else None,
            extra={name: value for name, value in fields.items() if value is not None},
            **read,
        )


@dataclass(frozen=True)
class ModelInfo:
    """What is known about a model that was saved, under MLflow's names.

    Attributes:
        model: Its manifest.
        model_uri: Its address.
    """

    model: Model
    model_uri: str
    _waiting: Callable[[float | None], bool] | None = field(default=None, repr=False, compare=False)

    def wait(self, timeout: float | None = None) -> bool:
        """Returns True once the model's files are written, which happens in the background.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            False when the time ran out.

        Raises:
            InvalidState: They could not be written.
        """
        return self._waiting is None or self._waiting(timeout)

    @property
    def flavors(self) -> Mapping[str, Mapping[str, Any]]:
        """How to load the model, by flavor."""
        return self.model.flavors

    @property
    def signature(self) -> ModelSignature | None:
        """What the model takes and gives."""
        return self.model.signature

    @property
    def metadata(self) -> Mapping[str, Any] | None:
        """What the user keeps with the model."""
        return self.model.metadata

    @property
    def saved_input_example_info(self) -> Mapping[str, Any] | None:
        """Names and kind of the input example."""
        return self.model.saved_input_example_info

    @property
    def run_id(self) -> str | None:
        """The run that made it."""
        return self.model.run_id

    @property
    def model_id(self) -> str | None:
        """The logged model that it belongs to."""
        return self.model.model_id

    @property
    def model_uuid(self) -> str | None:
        """Id of the model directory."""
        return self.model.model_uuid

    @property
    def artifact_path(self) -> str | None:
        """Where the run keeps it."""
        return self.model.artifact_path

    @property
    def utc_time_created(self) -> str:
        """When it was written, in UTC."""
        return self.model.utc_time_created

    @property
    def mlflow_version(self) -> str | None:
        """Version of MLflow that wrote it; None where autolog did."""
        return self.model.mlflow_version


def read_manifest(folder: Path) -> Model:
    """Reads the manifest of a model directory.

    Raises:
        NotFound: There is none.
        InvalidArgument: It cannot be read as one.
    """
    import yaml

    file = folder / FILE
    try:
        with open(file, "rb") as stream:
            text = stream.read(_LONGEST + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise NotFound(f"{folder} is no model directory: it has no file {FILE}") from error
    if len(text) > _LONGEST:
        raise InvalidArgument(f"{file} is no manifest: it is larger than {_LONGEST} bytes")
    try:
        fields = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"{file} cannot be read: {error}") from error
    if not isinstance(fields, Mapping):
        raise InvalidArgument(f"{file} cannot be read: it is no mapping")
    return Model.from_dict(fields)


@functools.singledispatch
def _plain(value: Any) -> Any:
    # Numbers of numpy have no YAML of their own.
    item = getattr(value, "item", None)
    return item() if item is not None and getattr(value, "ndim", None) == 0 else value


@_plain.register
def _(value: Mapping) -> Any:  # type: ignore[type-arg]
    return {key: _plain(each) for key, each in value.items()}


@_plain.register(list)
@_plain.register(tuple)
def _(value: Any) -> Any:
    return [_plain(each) for each in value]
