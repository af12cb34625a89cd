"""Every error that autolog raises, as one tree.

    AutologError                     INTERNAL_ERROR            500
    ├── InvalidArgument              INVALID_PARAMETER_VALUE   400
    │   ├── InvalidFilter            INVALID_PARAMETER_VALUE   400
    │   └── ParamConflict            INVALID_PARAMETER_VALUE   400
    ├── NotFound                     RESOURCE_DOES_NOT_EXIST   404
    ├── AlreadyExists                RESOURCE_ALREADY_EXISTS   400
    ├── InvalidState                 INVALID_STATE             500
    ├── PermissionDenied             PERMISSION_DENIED         403
    ├── NotSupported                 NOT_IMPLEMENTED           501
    │   └── MissingExtra             NOT_IMPLEMENTED           501
    └── StorageError                 TEMPORARILY_UNAVAILABLE   503
        ├── StorageFull              TEMPORARILY_UNAVAILABLE   503
        ├── StorageReadOnly          PERMISSION_DENIED         403
        ├── CorruptStore             INTERNAL_ERROR            500
        ├── CorruptJournal           INTERNAL_ERROR            500
        └── SchemaMismatch           INVALID_STATE             500

The codes are those of MLflow's REST protocol; `HTTP_STATUS` is the only table from code to status.
"""

from __future__ import annotations

import json
from typing import ClassVar

HTTP_STATUS: dict[str, int] = {
    "BAD_REQUEST": 400,
    "INVALID_PARAMETER_VALUE": 400,
    "RESOURCE_ALREADY_EXISTS": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "NOT_FOUND": 404,
    "ENDPOINT_NOT_FOUND": 404,
    "RESOURCE_CONFLICT": 409,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "INTERNAL_ERROR": 500,
    "INVALID_STATE": 500,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


class AutologError(Exception):
    """Base of all errors of autolog.

    Args:
        message: What went wrong, with the argument, the value and the remedy.
        error_code: A key of `HTTP_STATUS`; the class's own code when absent.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(self, message: object, error_code: str | None = None) -> None:
        self.message = str(message)
        self.error_code = error_code or self.code
        super().__init__(self.message)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.message, self.error_code))

    def get_http_status_code(self) -> int:
        """Returns the HTTP status that this error travels as."""
        return HTTP_STATUS.get(self.error_code, 500)

    def serialize_as_json(self) -> str:
        """Returns the error body of the REST protocol."""
        return json.dumps({"error_code": self.error_code, "message": self.message})


class InvalidArgument(AutologError, ValueError):
    """An argument breaks a rule; the message names it, its value and the remedy."""

    code = "INVALID_PARAMETER_VALUE"


class InvalidFilter(InvalidArgument):
    """A filter or ordering cannot be read; the message shows where."""


class ParamConflict(InvalidArgument):
    """A param of a run was logged before with another value."""


class NotFound(AutologError, LookupError):
    """What was asked for does not exist."""

    code = "RESOURCE_DOES_NOT_EXIST"


class AlreadyExists(AutologError):
    """The name is taken."""

    code = "RESOURCE_ALREADY_EXISTS"


class InvalidState(AutologError):
    """The call does not fit the state of its object."""

    code = "INVALID_STATE"


class PermissionDenied(AutologError):
    """The caller may not do this."""

    code = "PERMISSION_DENIED"


class NotSupported(AutologError):
    """The operation exists but not for this backend or platform."""

    code = "NOT_IMPLEMENTED"


class MissingExtra(NotSupported, ImportError):
    """An optional library is needed; the message names the command that installs it."""


class StorageError(AutologError):
    """The store cannot be reached or written."""

    code = "TEMPORARILY_UNAVAILABLE"


class StorageFull(StorageError, OSError):
    """No space is left where the journal or the store lives."""


class StorageReadOnly(StorageError, OSError):
    """The folder or database cannot be written."""

    code = "PERMISSION_DENIED"


class CorruptStore(StorageError):
    """The database is damaged or is not a database of autolog."""

    code = "INTERNAL_ERROR"


class CorruptJournal(StorageError):
    """A journal segment is damaged; the records before the damage are kept."""

    code = "INTERNAL_ERROR"


class SchemaMismatch(StorageError):
    """The database's schema is older or newer than this version of autolog."""

    code = "INVALID_STATE"
