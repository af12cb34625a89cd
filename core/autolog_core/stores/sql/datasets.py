"""Statements about datasets and their use by runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from autolog_core.entities import Dataset, DatasetInput
from autolog_core.stores.sql.dialect import insert_new, narrow, pack, upsert
from autolog_core.stores.sql.schema import datasets, inputs

_Use = tuple[str, int, str]
_NUMBERS = select(
    datasets.c.experiment_id, datasets.c.name, datasets.c.digest, datasets.c.dataset_id
)
_USES = select(inputs)


def record(
    connection: Connection,
    uses: Sequence[tuple[str, DatasetInput]],
    experiment_ids: Mapping[str, int],
) -> None:
    """Records that runs used datasets, in order.

    The same dataset with the same context counts once; its tags are joined, later ones first.
    """
    if not uses:
        return
    references: dict[tuple[int, str, str], Dataset] = {}
    for run_id, use in uses:
        reference = (experiment_ids[run_id], use.dataset.name, use.dataset.digest)
        references.setdefault(reference, use.dataset)
    numbers = _number(connection, references)
    stored = _stored(connection, sorted({run_id for run_id, _ in uses}))
    changed: dict[_Use, dict[str, str]] = {}
    for run_id, use in uses:
        number = numbers[experiment_ids[run_id], use.dataset.name, use.dataset.digest]
        key = (run_id, number, use.context or "")
        labels = changed.setdefault(key, stored.get(key, {}))
        labels.update((tag.key, tag.value) for tag in use.tags)
    connection.execute(
        upsert(connection, inputs, "tags"),
        [
            {
                "run_id": run_id,
                "dataset_id": number,
                "context": context,
                "tags": json.dumps(list(labels.items())),
            }
            for (run_id, number, context), labels in changed.items()
        ],
    )


def _number(
    connection: Connection, references: Mapping[tuple[int, str, str], Dataset]
) -> dict[tuple[int, str, str], int]:
    """Returns the ids of datasets, new ones created."""
    found = _numbers(connection, references)
    missing = [
        {"experiment_id": reference[0], **dataset.to_dictionary()}
        for reference, dataset in references.items()
        if reference not in found
    ]
    if missing:
        connection.execute(insert_new(connection, datasets), missing)
        found = _numbers(connection, references)
    return found


def _numbers(
    connection: Connection, references: Mapping[tuple[int, str, str], Dataset]
) -> dict[tuple[int, str, str], int]:
    found: dict[tuple[int, str, str], int] = {}
    query = narrow(connection, _NUMBERS, ids=datasets.c.experiment_id, names=datasets.c.name)
    for ids in pack(connection, sorted({reference[0] for reference in references})):
        for names in pack(connection, sorted({reference[1] for reference in references})):
            for *reference, number in connection.execute(query, {"ids": ids, "names": names}):
                found[tuple(reference)] = number
    return found


def _stored(connection: Connection, run_ids: Sequence[str]) -> dict[_Use, dict[str, str]]:
    query = narrow(connection, _USES, ids=inputs.c.run_id)
    return {
        (run_id, number, context): dict(json.loads(labels))
        for ids in pack(connection, run_ids)
        for run_id, number, context, labels in connection.execute(query, {"ids": ids})
    }
