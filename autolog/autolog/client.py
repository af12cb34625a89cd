"""`MlflowClient`: everything by run and experiment id, with no active run."""

from __future__ import annotations

from pathlib import Path

from autolog._sessions import plain_address
from autolog.client_artifacts import ArtifactMethods
from autolog.client_experiments import ExperimentMethods
from autolog.client_models import ModelMethods
from autolog.client_runs import RunMethods
from autolog.client_values import ValueMethods

__all__ = ["MlflowClient"]


class MlflowClient(ExperimentMethods, RunMethods, ValueMethods, ModelMethods, ArtifactMethods):
    """Reads and writes experiments, runs, logged models and artifacts of a store.

    Args:
        tracking_uri: Address of the store; by default where new runs go now.

    Raises:
        InvalidArgument: No store is known for the address.
    """

    def __init__(self, tracking_uri: str | Path | None = None) -> None:
        self._address = plain_address(tracking_uri)

    @property
    def tracking_uri(self) -> str:
        """The absolute address of the store."""
        return self._address
