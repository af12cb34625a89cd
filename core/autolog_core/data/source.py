"""Where data came from: the code that made it, a file, a bucket, an address."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from autolog_core.errors import InvalidArgument
from autolog_core.limits import DATASET_SOURCE_LENGTH, check_text

_SECRETS = (
    *("sig", "signature", "token", "secret", "password", "credential", "auth"),
    *("key", "keyid", "passwd", "pwd"),
)
_NO_SECRET = "REDACTED"


@dataclass(frozen=True, slots=True)
class DatasetSource:
    """Where data came from.

    Attributes:
        source_type: "code", "local", "http", the scheme of a bucket such as "s3", "hugging_face",
            "spark" or "delta_table".
        fields: What identifies the source: ``tags`` of code, ``uri`` of files, ``url`` of the web.
    """

    source_type: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Returns what identifies the source."""
        return dict(self.fields)

    def to_json(self) -> str:
        """Returns what identifies the source as JSON text."""
        return json.dumps(self.to_dict())

    @property
    def uri(self) -> str | None:
        """The place of a file or bucket."""
        return self.fields.get("uri")

    @property
    def url(self) -> str | None:
        """The address on the web."""
        return self.fields.get("url")

    def load(self, dst_path: str | os.PathLike[str] | None = None) -> str:
        """Makes the data available as a local file or folder and returns its path.

        Args:
            dst_path: Folder to copy to; made if missing. Without it local data stay where they are,
                and data of the web go to a new temporary folder.

        Raises:
            NotFound: There is nothing at the place.
            NotSupported: The source is neither local nor of the web; the error says what to call.
            StorageError: The address cannot be reached.
        """
        # Loading the modules of the web costs more than all else here.
        from autolog_core.data.load import load_source

        return load_source(self.source_type, self.fields, dst_path)

    def _get_source_type(self) -> str:
        return self.source_type


def code_source(tags: Mapping[str, str] | None = None) -> DatasetSource:
    """Returns the source of data that the running program made.

    Args:
        tags: Tags of the run that say which code it is (``mlflow.source.name``,
            ``mlflow.source.git.commit``); without them, the script or notebook of this process.
    """
    return DatasetSource("code", {"tags": dict(tags) if tags else _entry_point()})


def _entry_point() -> dict[str, str]:
    if "ipykernel" in sys.modules:
        return {"mlflow.source.name": "notebook", "mlflow.source.type": "NOTEBOOK"}
    path = getattr(sys.modules.get("__main__"), "__file__", None) or sys.argv[0]
    name = os.path.abspath(path) if path and os.path.exists(path) else path or "python"
    return {"mlflow.source.name": name, "mlflow.source.type": "LOCAL"}


def resolve_source(source: Any = None) -> DatasetSource:
    """Returns `source` as a `DatasetSource`.

    Args:
        source: None for the running code, a path, an address (``https://``, ``s3://`` ...), a
            `DatasetSource`, or a source object of ``mlflow.data``. Passwords in addresses and
            signatures of pre-signed ones are left out.

    Raises:
        InvalidArgument: It is none of these, empty, or too long.
    """
    if source is None:
        return code_source()
    if isinstance(source, DatasetSource):
        found = source
    elif isinstance(source, (str, os.PathLike)) and os.fspath(source):
        found = _located(os.fspath(source))
    elif callable(getattr(source, "to_dict", None)) and hasattr(source, "_get_source_type"):
        found = DatasetSource(source._get_source_type(), source.to_dict())
    else:
        raise InvalidArgument(
            f"source must be a path, an address or a dataset source, got {source!r:.80} of type "
            f"{type(source).__name__}"
        )
    check_text(found.to_json(), DATASET_SOURCE_LENGTH, "dataset source")
    return found


def _located(place: str | bytes) -> DatasetSource:
    text = os.fsdecode(place)
    scheme, colon, _ = text.partition("://")
    if not colon or scheme == "file":
        return DatasetSource("local", {"uri": text})
    if scheme in ("http", "https"):
        return DatasetSource("http", {"url": _without_secrets(text)})
    return DatasetSource(scheme.lower(), {"uri": _without_secrets(text)})


def _without_secrets(address: str) -> str:
    parts = urlsplit(address)
    place = parts.netloc
    if ":" in place.rpartition("@")[0]:
        place = place.rpartition("@")[2]
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = parts.query
    if any(key.lower().endswith(_SECRETS) for key, _ in pairs):
        query = "&".join(
            f"{quote(key)}={_NO_SECRET if key.lower().endswith(_SECRETS) else quote(value)}"
            for key, value in pairs
        )
    return urlunsplit((parts.scheme, place, parts.path, query, parts.fragment))
