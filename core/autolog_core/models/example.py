"""The input example of a model: a few rows, readable by people and by scoring servers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autolog_core.data import kinds
from autolog_core.errors import InvalidArgument
from autolog_core.models.locate import inside
from autolog_core.models.schema import Schema
from autolog_core.models.tables import as_pandas, read_frame, split_frame, to_json

if TYPE_CHECKING:
    from autolog_core.models.manifest import Model

FILE = "input_example.json"
SERVING_FILE = "serving_input_example.json"


@dataclass(frozen=True, slots=True)
class Example:
    """An input example, ready to be written.

    Attributes:
        info: What the manifest says about it.
        text: JSON text of the example.
        serving: JSON text of the same as a request to a scoring server.
    """

    info: Mapping[str, Any]
    text: str
    serving: str

    def write(self, folder: Path) -> None:
        """Writes both files into a model directory."""
        (folder / FILE).write_text(self.text, encoding="utf-8")
        (folder / SERVING_FILE).write_text(self.serving, encoding="utf-8")


def split_params(example: Any) -> tuple[Any, dict[str, Any] | None]:
    """Returns data and params of an input example; ``(data, params)`` holds both."""
    if isinstance(example, tuple) and len(example) == 2 and isinstance(example[1], dict):
        return example
    return example, None


def make_example(example: Any) -> Example:
    """Returns an input example as it is kept.

    Args:
        example: A table, an array, a sparse matrix (csr or csc), a mapping, a list or a single
            value; or a tuple of such data and a mapping of params.

    Raises:
        InvalidArgument: It is of another kind, or holds what JSON cannot.
    """
    data, params = split_params(example)
    kind, stored, serving = _stored(data)
    info: dict[str, Any] = {"artifact_path": FILE, "type": kind, "serving_input_path": SERVING_FILE}
    if kind == "dataframe":
        info["pandas_orient"] = "split" if "columns" in stored else "values"
    if params is not None:
        plain = to_json(params)
        info["params"] = "true"
        stored, serving = {"inputs": stored, "params": plain}, {**serving, "params": plain}
    return Example(info, json.dumps(stored), json.dumps(serving, indent=2))


def _stored(data: Any) -> tuple[str, Any, dict[str, Any]]:
    kind = kinds.kind_of(data)
    if kind in kinds.FRAMES or kind in (kinds.PANDAS_SERIES, kinds.POLARS_SERIES):
        split = split_frame(as_pandas(data))
        return "dataframe", split, {"dataframe_split": split}
    if kind == kinds.SPARSE:
        return _stored_sparse(data)
    if kind == kinds.DICT and any(isinstance(value, np.ndarray) for value in data.values()):
        if not all(isinstance(value, np.ndarray) for value in data.values()):
            raise InvalidArgument("an input example must hold arrays in all entries or in none")
        plain = to_json(data)
        return "ndarray", plain, {"inputs": plain}
    plain = to_json(data)
    return ("ndarray" if kind == kinds.ARRAY else "json_object"), plain, {"inputs": plain}


def _stored_sparse(data: Any) -> tuple[str, Any, dict[str, Any]]:
    if data.format not in ("csr", "csc"):
        raise InvalidArgument(
            f"a sparse input example must be of format csr or csc, got {data.format!r}; "
            "convert it with .tocsr()"
        )
    stored = {
        "data": to_json(data.data),
        "indices": data.indices.tolist(),
        "indptr": data.indptr.tolist(),
        "shape": list(map(int, data.shape)),
    }
    return f"sparse_matrix_{data.format}", stored, {"inputs": to_json(data.toarray())}


def read_example(model: Model, folder: Path) -> Any:
    """Returns the data of a model's input example, with the dtypes that its signature tells.

    Returns:
        None when the model has none.

    Raises:
        InvalidArgument: The manifest names a file out of the directory, or the example is of a
            kind that is not known here.
        NotFound: The file is missing.
    """
    info = model.saved_input_example_info
    if not info:
        return None
    file = inside(folder, info.get("artifact_path"), "saved_input_example_info")
    stored = json.loads(file.read_text(encoding="utf-8"))
    if info.get("params"):
        stored = stored["inputs"]
    kind, schema = info.get("type"), model.get_input_schema()
    if kind == "dataframe":
        return read_frame(stored, schema)
    if kind == "ndarray":
        return _read_arrays(stored, schema)
    if kind in ("sparse_matrix_csr", "sparse_matrix_csc"):
        return _read_sparse(stored, kind[-3:], schema)
    if kind == "json_object":
        return stored
    raise InvalidArgument(f"input examples of type {kind!r} cannot be read")


def read_example_params(model: Model, folder: Path) -> dict[str, Any] | None:
    """Returns the params of a model's input example; None where it has none."""
    info = model.saved_input_example_info
    if not info or not info.get("params"):
        return None
    file = inside(folder, info.get("artifact_path"), "saved_input_example_info")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["params"]
    return found


def _dtypes(schema: Schema | None) -> dict[Any, Any]:
    if schema is None or not schema.is_tensor_spec():
        return {}
    return {each.name: each.type for each in schema.inputs}


def _read_arrays(stored: Any, schema: Schema | None) -> Any:
    dtypes = _dtypes(schema)
    if isinstance(stored, dict):
        return {name: np.array(value, dtypes.get(name)) for name, value in stored.items()}
    return np.array(stored, dtypes.get(None))


def _read_sparse(stored: Mapping[str, Any], form: str, schema: Schema | None) -> Any:
    from scipy import sparse

    parts = (
        np.array(stored["data"], _dtypes(schema).get(None)),
        *map(np.asarray, (stored["indices"], stored["indptr"])),
    )
    make = sparse.csr_matrix if form == "csr" else sparse.csc_matrix
    return make(parts, shape=tuple(stored["shape"]))
