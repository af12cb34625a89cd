"""References to data: digest, schema, profile and source, for runs to record."""

from autolog_core.data.dataset import (
    ArrayReference,
    DataReference,
    FrameReference,
    check_columns,
    dataset_of,
)
from autolog_core.data.digest import Digest, digest_of
from autolog_core.data.items import read_tensorflow, read_torch
from autolog_core.data.outline import outline_of_source
from autolog_core.data.source import DatasetSource, code_source, resolve_source
from autolog_core.data.torch_sets import outline_of_tensors

__all__ = [
    "ArrayReference",
    "DataReference",
    "DatasetSource",
    "Digest",
    "FrameReference",
    "check_columns",
    "code_source",
    "dataset_of",
    "digest_of",
    "outline_of_source",
    "outline_of_tensors",
    "read_tensorflow",
    "read_torch",
    "resolve_source",
]
