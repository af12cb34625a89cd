"""Datasets of whatever library, as records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autolog_core.entities import CONTEXT_TAG, Dataset, DatasetInput, InputTag
from autolog_core.errors import InvalidArgument

_FIELDS = ("name", "digest", "source_type", "source")


def dataset_record(dataset: Any) -> Dataset:
    """Returns the record of a dataset.

    Args:
        dataset: A record already, or an object whose ``to_dict()`` returns the record's fields, as
            the datasets of `autolog.data` and ``mlflow.data`` have it.

    Raises:
        InvalidArgument: It is neither.
    """
    if isinstance(dataset, Dataset):
        return dataset
    describe = getattr(dataset, "to_dict", None)
    fields = describe() if callable(describe) and not isinstance(dataset, type) else None
    if not isinstance(fields, Mapping) or not all(
        isinstance(fields.get(name), str) for name in _FIELDS
    ):
        raise InvalidArgument(
            f"dataset must be a dataset, got {type(dataset).__name__}; make one of data with "
            "autolog.data.from_pandas() or from_numpy()"
        )
    return Dataset(
        name=fields["name"],
        digest=fields["digest"],
        source_type=fields["source_type"],
        source=fields["source"],
        schema=_text(fields.get("schema")),
        profile=_text(fields.get("profile")),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def dataset_inputs(
    datasets: Sequence[Any],
    contexts: Sequence[str | None] | None = None,
    tags_list: Sequence[Mapping[str, str] | None] | None = None,
) -> list[DatasetInput]:
    """Returns the uses of datasets, with their contexts and tags; None entries are left out.

    Raises:
        InvalidArgument: The lists differ in length, or an entry is no dataset.
    """
    contexts = [None] * len(datasets) if contexts is None else contexts
    tags_list = [None] * len(datasets) if tags_list is None else tags_list
    if not len(datasets) == len(contexts) == len(tags_list):
        raise InvalidArgument(
            f"datasets, contexts and tags_list must be of one length, got {len(datasets)}, "
            f"{len(contexts)} and {len(tags_list)}"
        )
    return [
        DatasetInput(dataset_record(dataset), _tags(context, tags))
        for dataset, context, tags in zip(datasets, contexts, tags_list, strict=True)
        if dataset is not None
    ]


def _tags(context: str | None, tags: Mapping[str, str] | None) -> tuple[InputTag, ...]:
    found = {key: str(value) for key, value in (tags or {}).items()}
    if context is not None:
        found[CONTEXT_TAG] = str(context)
    return tuple(InputTag(key, value) for key, value in found.items())
