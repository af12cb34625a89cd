"""What is remembered of a Dataset, which frees its raw data when it is made ready for a training.

A Dataset holds its raw data until it is constructed, most often by the training itself. That is
the moment to look: a digest over all of it and a copy of a few rows. Both are remembered for as
long as the Dataset lives, for the trainings after the first one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from autolog.lightgbm import extract, extract_data

if TYPE_CHECKING:
    from autolog.instrument.call import Call
    from autolog.instrument.recorder import Recorder
    from autolog.instrument.spec import Options
    from autolog_core.entities import Dataset


@dataclass(slots=True)
class Known:
    """What is known of a Dataset.

    Attributes:
        reference: To features and labels; None where none was asked for or can be made.
        rows: The first rows, as a model of LightGBM predicts them; None where they are not known.
    """

    reference: Dataset | None = None
    rows: Any = None


_known: WeakKeyDictionary[Any, Known] = WeakKeyDictionary()


def look(dataset: Any, options: Options) -> Known:
    """Returns what is known of a Dataset; looks at its data if it has not been constructed yet.

    Args:
        dataset: Of LightGBM.
        options: Say whether references and models are kept.
    """
    ready = dataset._handle is not None
    found = _known.get(dataset) if ready else None
    if found is None:
        found = Known()
        if options.log_models:
            found.rows = _rows(dataset, options)
    if options.log_datasets and found.reference is None:
        found.reference = _reference(dataset, options, ready)
    _known[dataset] = found
    return found


def _rows(dataset: Any, options: Options) -> Any:
    if dataset.data is not None:
        return extract_data.few_rows(dataset.data)
    # Rows of the whole have the columns of a subset.
    whole = dataset.reference if dataset.used_indices is not None else None
    return None if whole is None else look(whole, options).rows


def _reference(dataset: Any, options: Options, ready: bool) -> Dataset | None:
    if dataset.data is not None:
        return extract_data.reference_of(dataset.data, dataset.label)
    if dataset.used_indices is not None and dataset.reference is not None:
        whole = look(dataset.reference, options).reference
        if whole is not None:
            # A constructed subset has labels of its own, which its rows tell already.
            labels = None if ready else dataset.label
            return extract_data.subset_of(whole, dataset.used_indices, labels)
    return extract_data.described(dataset) if ready else None


def record(
    recorder: Recorder, options: Options, dataset: Any, context: str, name: str | None = None
) -> Known:
    """Logs that a training uses a Dataset.

    Args:
        recorder: Of the training.
        options: Of the integration.
        dataset: Of LightGBM.
        context: ``"train"`` or ``"eval"``.
        name: What the training calls it.
    """
    data = dataset.data
    known = look(dataset, options)
    if options.log_datasets:
        reference = log_reference(recorder, known.reference, data, context, name)
        known = Known(reference, known.rows)
    return known


def log_reference(
    recorder: Recorder, reference: Dataset | None, data: Any, context: str, name: str | None
) -> Dataset | None:
    """Logs a reference as an input of the run, under the name that the training has for it.

    Args:
        recorder: Of the training.
        reference: To `data`; None where none can be made.
        data: The features.
        context: ``"train"`` or ``"eval"``.
        name: What the training calls it.

    Returns:
        The reference as it was logged.
    """
    if reference is None:
        kind = f"{type(data).__module__}.{type(data).__qualname__}"
        recorder.skipped(f"dataset {name or context}", f"no reference can be made to {kind}")
        return None
    if name is not None:
        reference = extract_data.named(reference, name)
    recorder.dataset(reference, context, data)
    return reference


class ConstructObserver:
    """Looks at the data of a Dataset that the user's code constructs; it is no training."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def wants(self, call: Call) -> bool:
        """Looks at the Dataset, and at those that it refers to; opens no run."""
        dataset = call.instance
        if self._options.log_datasets or self._options.log_models:
            while extract.is_dataset(dataset) and dataset._handle is None:
                look(dataset, self._options)
                dataset = dataset.reference
        return False

    def title(self, call: Call) -> str:
        """Never asked for."""
        return "Dataset"

    def before(self, call: Call, recorder: Recorder) -> None:
        """Never called."""

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Never called."""

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Never called."""


def follow_labels(call: Call, result: Any) -> None:
    """Remembers that a Dataset has other labels now."""
    dataset = call.instance
    found = _known.get(dataset)
    if found is None or found.reference is None:
        return
    labels = call.get("label")
    if dataset.data is None:
        found.reference = extract_data.relabelled(found.reference, labels)
    else:
        found.reference = extract_data.reference_of(dataset.data, labels)
