"""What the user is told when a store could not take something as it was."""

from __future__ import annotations

import logging

from autolog_core.stores.operations import ApplyReport

logger = logging.getLogger("autolog")


def tell(report: ApplyReport) -> None:
    """Logs a warning for each thing that a store could not take as it was."""
    for run_id, key, kept, refused in report.param_conflicts:
        logger.warning(
            "param %r of run %s stays %r: another process logged it first; %r was not kept",
            key,
            run_id,
            kept[:200],
            refused[:200],
        )
    for model_id, key, kept, refused in report.model_param_conflicts:
        logger.warning(
            "param %r of model %s stays %r: another process logged it first; %r was not kept",
            key,
            model_id,
            kept[:200],
            refused[:200],
        )
    for model_id in report.model_orphans:
        logger.warning("model %s is not in the store: what it was given is dropped", model_id)
    for run_id in report.orphans:
        logger.warning("run %s is not in the store: what was logged to it is dropped", run_id)
