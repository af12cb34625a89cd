"""References to data: digest, schema, profile and source, for runs to record."""

from autolog_core.data.dataset import (
    ArrayReference,
    DataReference,
    FrameReference,
    dataset_of,
)
from autolog_core.data.digest import Digest, digest_of
from autolog_core.data.source import DatasetSource, code_source, resolve_source

__all__ = [
    "ArrayReference",
    "DataReference",
    "DatasetSource",
    "Digest",
    "FrameReference",
    "code_source",
    "dataset_of",
    "digest_of",
    "resolve_source",
]
