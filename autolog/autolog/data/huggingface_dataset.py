"""Datasets of Hugging Face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autolog_core.data import DataReference, DatasetSource, check_columns, kinds
from autolog_core.errors import InvalidArgument

__all__ = ["HuggingFaceDataset", "from_huggingface"]


class HuggingFaceDataset(DataReference):
    """A `datasets.Dataset` with what identifies it.

    Args:
        ds: The dataset.
        source: A path, an address or a `DatasetSource`.
        targets: The column of labels.
        name: Up to 500 characters.
        digest: At most 36 characters.

    Raises:
        InvalidArgument: An argument is not legal, or the dataset lacks the column.
    """

    def __init__(
        self,
        ds: Any,
        source: Any = None,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        check_columns(ds, targets=targets)
        super().__init__(ds, source, None, name, digest)
        self._targets = targets

    @property
    def ds(self) -> Any:
        """The dataset itself."""
        return self._data

    @property
    def targets(self) -> str | None:
        """The name of the column of labels."""
        return self._targets


def from_huggingface(
    ds: Any,
    path: str | None = None,
    targets: str | None = None,
    data_dir: str | None = None,
    data_files: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
    revision: Any = None,
    name: str | None = None,
    digest: str | None = None,
    trust_remote_code: bool | None = None,
    source: Any = None,
) -> HuggingFaceDataset:
    """Returns a dataset of a `datasets.Dataset`.

    The digest is over the Arrow table beneath, and over the rows of it that were selected or
    shuffled, in their order; formats and transforms do not count. It is that of the same table in
    `from_pyarrow`. The profile holds the fingerprint that the library gives the dataset as well.

    Args:
        ds: The dataset; it is referred to, not copied and not converted.
        path: As in `datasets.load_dataset`; makes the source one of Hugging Face.
        targets: The column of labels.
        data_dir: As in `datasets.load_dataset`; part of the source.
        data_files: Likewise.
        revision: Likewise.
        name: Up to 500 characters; "dataset" when absent.
        digest: At most 36 characters; made from all the data when absent.
        trust_remote_code: Accepted for `datasets.load_dataset`'s sake; not recorded.
        source: A path, an address or a `DatasetSource`; stands in place of `path`. The running code
            when both are absent.

    Raises:
        InvalidArgument: `ds` is no `datasets.Dataset` (a DatasetDict has several, a stream cannot
            be read twice), lacks the column `targets`, or another argument is not legal.
    """
    if kinds.kind_of(ds) != kinds.ARROW_SET:
        raise InvalidArgument(f"ds must be a datasets.Dataset, {_what_instead(ds)}")
    if source is None and path is not None:
        source = DatasetSource(
            "hugging_face",
            {
                "path": str(path),
                "config_name": ds.config_name,
                "data_dir": None if data_dir is None else str(data_dir),
                "data_files": _plain(data_files),
                "split": str(ds.split),
                "revision": None if revision is None else str(revision),
            },
        )
    return HuggingFaceDataset(ds, source, targets, name, digest)


def _what_instead(ds: Any) -> str:
    kind = type(ds).__name__
    if kinds.is_a(ds, "datasets", "DatasetDict"):
        splits = ", ".join(f"ds[{name!r}]" for name in ds) or "it has none"
        return f"got a DatasetDict; give one of its splits: {splits}"
    if kind.startswith("Iterable"):
        return (
            f"got {kind}, a stream that is not read; load it with streaming=False, or log an "
            "autolog.data.MetaDataset of its source"
        )
    return f"got {kind}"


def _plain(files: Any) -> Any:
    if isinstance(files, Mapping):
        return {str(name): _plain(part) for name, part in files.items()}
    if files is None or isinstance(files, str):
        return files
    return list(map(str, files)) if isinstance(files, Sequence) else str(files)
