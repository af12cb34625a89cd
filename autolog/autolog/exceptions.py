"""The errors that autolog raises; `MlflowException` is the base of them all."""

from autolog_core.errors import (
    AlreadyExists,
    AutologError,
    CorruptJournal,
    CorruptStore,
    InvalidArgument,
    InvalidFilter,
    InvalidState,
    MissingExtra,
    NotFound,
    NotSupported,
    ParamConflict,
    PermissionDenied,
    SchemaMismatch,
    StorageError,
    StorageFull,
    StorageReadOnly,
)

MlflowException = AutologError

__all__ = [
    "AlreadyExists",
    "AutologError",
    "CorruptJournal",
    "CorruptStore",
    "InvalidArgument",
    "InvalidFilter",
    "InvalidState",
    "MissingExtra",
    "MlflowException",
    "NotFound",
    "NotSupported",
    "ParamConflict",
    "PermissionDenied",
    "SchemaMismatch",
    "StorageError",
    "StorageFull",
    "StorageReadOnly",
]
