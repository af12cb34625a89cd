"""Which library's data this is, told by class names so that no library is imported to ask."""

from __future__ import annotations

from typing import Any

ARRAY = "array"
PANDAS_FRAME = "pandas frame"
PANDAS_SERIES = "pandas series"
PANDAS_VALUES = "pandas values"
POLARS_FRAME = "polars frame"
POLARS_SERIES = "polars series"
ARROW_TABLE = "arrow table"
ARROW_COLUMN = "arrow column"
SPARSE = "sparse"
LIST = "list"
DICT = "dict"
TENSOR = "tensor"
OUTLINE = "outline"
PICKED = "picked rows"
# Sets whose items are made when they are asked for: see `autolog_core.data.views`.
ARROW_SET = "set over arrow tables"
TORCH_SET = "torch dataset"
TORCH_LOADER = "torch data loader"
TENSORFLOW_SET = "tensorflow dataset"
SPARK_FRAME = "spark frame"

FRAMES = frozenset((PANDAS_FRAME, POLARS_FRAME, ARROW_TABLE))
COLUMNS = frozenset((PANDAS_SERIES, PANDAS_VALUES, POLARS_SERIES, ARROW_COLUMN))

_KINDS = {
    ("numpy", "ndarray"): ARRAY,
    ("pandas", "DataFrame"): PANDAS_FRAME,
    ("pandas", "Series"): PANDAS_SERIES,
    ("pandas", "Index"): PANDAS_VALUES,
    ("pandas", "ExtensionArray"): PANDAS_VALUES,
    ("polars", "DataFrame"): POLARS_FRAME,
    ("polars", "Series"): POLARS_SERIES,
    ("pyarrow", "Table"): ARROW_TABLE,
    ("pyarrow", "RecordBatch"): ARROW_TABLE,
    ("pyarrow", "ChunkedArray"): ARROW_COLUMN,
    ("pyarrow", "Array"): ARROW_COLUMN,
    ("scipy", "_spbase"): SPARSE,
    ("scipy", "spmatrix"): SPARSE,
    ("scipy", "sparray"): SPARSE,
    ("torch", "Tensor"): TENSOR,
    ("torch", "Dataset"): TORCH_SET,
    ("torch", "DataLoader"): TORCH_LOADER,
    ("tensorflow", "EagerTensor"): TENSOR,
    ("tensorflow", "Variable"): TENSOR,
    ("tensorflow", "RaggedTensor"): TENSOR,
    ("tensorflow", "SparseTensor"): TENSOR,
    ("tensorflow", "DatasetV2"): TENSORFLOW_SET,
    ("builtins", "list"): LIST,
    ("builtins", "tuple"): LIST,
    ("builtins", "dict"): DICT,
}


# Packages with these names, or other classes with these names in the same package, are common.
_EXACT = {
    ("datasets.arrow_dataset", "Dataset"): ARROW_SET,
    ("datasets.iterable_dataset", "IterableDataset"): TORCH_SET,
    ("pyspark.sql.dataframe", "DataFrame"): SPARK_FRAME,
    ("pyspark.sql.classic.dataframe", "DataFrame"): SPARK_FRAME,
    ("pyspark.sql.connect.dataframe", "DataFrame"): SPARK_FRAME,
    ("autolog_core.data.outline", "Outline"): OUTLINE,
    ("autolog_core.data.outline", "Picked"): PICKED,
    ("autolog_core.data.rows", "PickedTable"): ARROW_TABLE,
    ("autolog_core.data.rows", "PickedColumn"): ARROW_COLUMN,
}


def kind_of(data: Any) -> str | None:
    """Returns the kind of `data`, or None when it is of no kind that is known here."""
    for base in type(data).__mro__:
        module, name = base.__module__, base.__name__
        kind = _EXACT.get((module, name)) or _KINDS.get((module.partition(".")[0], name))
        if kind is not None:
            return kind if kind != TENSOR or has_values(data) else None
    return None


def is_a(data: Any, package: str, name: str) -> bool:
    """Whether the class of `data`, or one that it inherits from, has this name in a package."""
    return any(_is(base, package, name) for base in type(data).__mro__)


def owner_is(data: Any, method: str, package: str, name: str) -> bool:
    """Whether `method` of `data` is the one of the class of this name, not one of a subclass."""
    for base in type(data).__mro__:
        if method in vars(base):
            return _is(base, package, name)
    return False


def _is(cls: type, package: str, name: str) -> bool:
    return cls.__name__ == name and cls.__module__.partition(".")[0] == package


def has_values(tensor: Any) -> bool:
    """Whether the values of a tensor lie in this process's memory or on a device of it.

    Not so on torch's meta device, for stand-ins of tracers, for tensors spread over processes, and
    for handles of TensorFlow.
    """
    if not is_a(tensor, "torch", "Tensor"):
        return getattr(tensor.dtype, "name", "") not in ("variant", "resource")
    plain = owner_is(tensor, "__torch_dispatch__", "torch", "Tensor")
    return plain and not (tensor.is_meta or tensor.is_quantized or tensor.is_nested)
