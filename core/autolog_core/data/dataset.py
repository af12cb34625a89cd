"""References to data in memory: name, digest, source, schema, profile."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from autolog_core.data import kinds
from autolog_core.data.digest import Digest, digest_of
from autolog_core.data.schema import profile_of, schema_of
from autolog_core.data.source import DatasetSource, resolve_source
from autolog_core.data.views import ABOUT_DIGEST, View, view_of
from autolog_core.entities import Dataset
from autolog_core.errors import InvalidArgument
from autolog_core.limits import DATASET_DIGEST_LENGTH, DATASET_NAME_LENGTH, check_text

DEFAULT_NAME = "dataset"


def dataset_of(
    X: Any,
    y: Any = None,
    *,
    name: str | None = None,
    source: Any = None,
    targets: str | None = None,
) -> Dataset | None:
    """Returns the reference of training data, or None when `X` is of no kind that can be read.

    Neither `X` nor `y` is changed, converted as a whole, or kept.

    Args:
        X: A NumPy array, a tensor, a pandas, polars or Arrow table or column, a SciPy sparse
            matrix, a dataset of torch, tensorflow, datasets or pyspark, a list of numbers or text,
            or a mapping of names to arrays.
        y: Labels, of the same kinds; part of the digest.
        name: Up to 500 characters.
        source: See `resolve_source`; the running code by default.
        targets: Name of the column of `X` that holds the labels; recorded in the profile.

    Raises:
        InvalidArgument: Name or source is not legal, or `X` has no column `targets`.
    """
    if kinds.kind_of(X) is None:
        return None
    check_columns(X, targets=targets)
    name = DEFAULT_NAME if name is None else check_name(name)
    where = resolve_source(source)
    labels = y if kinds.kind_of(y) is not None else None
    view, labels_view = view_of(X), view_of(labels)
    digest = digest_of(view.data, labels_view.data)
    profile = _profile(view, labels_view, digest.opaque)
    if targets is not None:
        profile["targets"] = str(targets)
    return Dataset(
        name,
        digest.text,
        where.source_type,
        where.to_json(),
        schema_of(view.data, labels_view.data),
        json.dumps(profile),
    )


def _profile(view: View, labels: View, opaque: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(profile_of(view.data, labels.data, opaque))
    for role, told in (("targets", labels.profile), ("features", view.profile)):
        for key, value in told.items():
            if value is None:
                continue
            if key == "cardinality":
                found[f"{role}_cardinality"] = value
            elif role == "features":
                found[key] = value
    return found


def check_name(name: object) -> str:
    """Returns `name` if it may name a dataset.

    Raises:
        InvalidArgument: It is no string, empty or over 500 characters.
    """
    if not isinstance(name, str) or not name:
        raise InvalidArgument(f"dataset name must be a non-empty string, got {name!r:.80}")
    return check_text(name, DATASET_NAME_LENGTH, "dataset name")


def check_columns(data: Any, **columns: str | None) -> None:
    """Checks that a table has the columns that its arguments name.

    Raises:
        InvalidArgument: One is missing.
    """
    for argument, column in columns.items():
        if column is None:
            continue
        names = getattr(data, "columns", None)
        if kinds.kind_of(data) == kinds.ARROW_TABLE:
            names = data.schema.names
        if kinds.kind_of(data) == kinds.ARROW_SET:
            names = data.column_names
        found = [] if names is None else list(names)
        if column not in found:
            raise InvalidArgument(
                f"{argument} must name a column of the data, got {column!r}; "
                f"its columns are {', '.join(map(repr, found[:20])) or 'none'}"
            )


class DataReference:
    """Data in memory together with what identifies it.

    Digest, schema and profile are of the data as it is when they are first asked for.

    Args:
        data: The data.
        source: See `autolog_core.data.source.resolve_source`.
        labels: Labels that are not part of `data`.
        name: Up to 500 characters; "dataset" when absent.
        digest: At most 36 characters; made from the data when absent.

    Raises:
        InvalidArgument: An argument is not legal.
    """

    def __init__(
        self,
        data: Any,
        source: Any = None,
        labels: Any = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        self._data = self._seen = data
        self._labels = self._labels_seen = labels
        self._name = DEFAULT_NAME if name is None else check_name(name)
        self._source = resolve_source(source)
        self._given = (
            None if digest is None else check_text(digest, DATASET_DIGEST_LENGTH, "dataset digest")
        )

    @cached_property
    def _views(self) -> tuple[View, View]:
        return view_of(self._seen), view_of(self._labels_seen)

    @cached_property
    def _measured(self) -> Digest:
        return digest_of(*(view.data for view in self._views))

    @property
    def name(self) -> str:
        """The name of the dataset."""
        return self._name

    @property
    def digest(self) -> str:
        """The digest: the one that was given, or 32 hexadecimal digits over all the data."""
        return self._given or self._measured.text

    @property
    def source(self) -> DatasetSource:
        """Where the data came from."""
        return self._source

    @cached_property
    def schema(self) -> dict[str, Any] | None:
        """The schema, keyed `mlflow_colspec` or `mlflow_tensorspec`."""
        text = schema_of(*(view.data for view in self._views))
        return None if text is None else json.loads(text)

    @cached_property
    def profile(self) -> dict[str, Any]:
        """Row and element counts, shapes of arrays, and what a digest covers that is not of all."""
        found = _profile(*self._views, 0 if self._given else self._measured.opaque)
        if self._given:
            for word in ABOUT_DIGEST:
                found.pop(word, None)
        return found

    def to_entity(self) -> Dataset:
        """Returns the record that runs keep of this dataset."""
        schema = None if self.schema is None else json.dumps(self.schema)
        return Dataset(
            name=self.name,
            digest=self.digest,
            source_type=self.source.source_type,
            source=self.source.to_json(),
            schema=schema,
            profile=json.dumps(self.profile),
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields of the record as plain data."""
        return self.to_entity().to_dictionary()

    def to_json(self) -> str:
        """Returns the fields of the record as JSON text."""
        return json.dumps(self.to_dict())

    def _to_entity(self) -> Dataset:
        return self.to_entity()


class FrameReference(DataReference):
    """A table with what identifies it.

    Args:
        df: A pandas, polars or Arrow table.
        source: See `autolog_core.data.source.resolve_source`.
        targets: The column of labels.
        name: Up to 500 characters.
        digest: At most 36 characters.
        predictions: The column of predictions.

    Raises:
        InvalidArgument: An argument is not legal, or the table lacks a named column.
    """

    def __init__(
        self,
        df: Any,
        source: Any = None,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
        predictions: str | None = None,
    ) -> None:
        check_columns(df, targets=targets, predictions=predictions)
        super().__init__(df, source, None, name, digest)
        self._targets = targets
        self._predictions = predictions

    @property
    def df(self) -> Any:
        """The table itself."""
        return self._data

    @property
    def targets(self) -> str | None:
        """The name of the column of labels."""
        return self._targets

    @property
    def predictions(self) -> str | None:
        """The name of the column of predictions."""
        return self._predictions


class ArrayReference(DataReference):
    """Arrays with what identifies them.

    Args:
        features: An array, or a mapping of names to arrays.
        source: See `autolog_core.data.source.resolve_source`.
        targets: Labels, likewise.
        name: Up to 500 characters.
        digest: At most 36 characters.

    Raises:
        InvalidArgument: An argument is not legal.
    """

    def __init__(
        self,
        features: Any,
        source: Any = None,
        targets: Any = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        super().__init__(features, source, targets, name, digest)

    @property
    def features(self) -> Any:
        """The features."""
        return self._data

    @property
    def targets(self) -> Any:
        """The labels, or None."""
        return self._labels
