"""Frozen records of what is tracked. Field names are those of the REST protocol."""

from autolog_core.entities.dataset import CONTEXT_TAG, Dataset, DatasetInput
from autolog_core.entities.experiment import Experiment, LifecycleStage, ViewType
from autolog_core.entities.model import LoggedModel, LoggedModelStatus
from autolog_core.entities.page import FileInfo, Page
from autolog_core.entities.run import (
    LoggedModelInput,
    LoggedModelOutput,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunStatus,
)
from autolog_core.entities.values import (
    ExperimentTag,
    InputTag,
    LoggedModelParameter,
    LoggedModelTag,
    Metric,
    MetricSummary,
    Param,
    RunTag,
)

__all__ = [
    "CONTEXT_TAG",
    "Dataset",
    "DatasetInput",
    "Experiment",
    "ExperimentTag",
    "FileInfo",
    "InputTag",
    "LifecycleStage",
    "LoggedModel",
    "LoggedModelInput",
    "LoggedModelOutput",
    "LoggedModelParameter",
    "LoggedModelStatus",
    "LoggedModelTag",
    "Metric",
    "MetricSummary",
    "Page",
    "Param",
    "Run",
    "RunData",
    "RunInfo",
    "RunInputs",
    "RunOutputs",
    "RunStatus",
    "RunTag",
    "ViewType",
]
