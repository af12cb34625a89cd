"""Deleting the weights of logged models: the record and its metrics stay.

The order makes it safe to be killed at any moment. The status is PRUNED in the store before the
first file goes, so no model that reads READY has lost any; then the folder loses its name in one
step and is deleted. Whoever replays the journal of a process that died in between does the rest.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from autolog_core.entities import LoggedModel, LoggedModelStatus
from autolog_core.errors import AutologError
from autolog_core.logged_models import handle_of
from autolog_core.models.removal import discard, own_folder

if TYPE_CHECKING:
    from autolog_core.session import Session

logger = logging.getLogger("autolog")

# Models that are PRUNED while the store could not be told: their files wait for the next time.
_waiting: WeakKeyDictionary[Session, dict[str, Path]] = WeakKeyDictionary()


def prune_models(session: Session, models: Iterable[LoggedModel], reason: str) -> None:
    """Deletes the weights of models and makes them PRUNED; not to be called on a caller's thread.

    Args:
        session: Where they are kept.
        models: As the store has them; one whose files are in no local folder of its own is left.
        reason: Who wants it, such as "the checkpoint policy (keep_last=2)", for their messages.

    Raises:
        StorageError: The store cannot be told now. No file is deleted; the next call does it.
    """
    waiting = _waiting.setdefault(session, {})
    moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    message = f"weights pruned by {reason} at {moment}; its metrics stay"
    for model in models:
        try:
            folder = own_folder(model.artifact_location, model.model_id)
        except AutologError as error:
            logger.warning("model %s is not pruned: %s", model.model_id, error)
            continue
        live = session.models.get(model.model_id) or handle_of(session, model)
        live.finish(LoggedModelStatus.PRUNED, message)
        waiting[model.model_id] = folder
    if not waiting:
        return
    session.drain()
    session.store().sync()
    while waiting:
        model_id, folder = waiting.popitem()
        try:
            discard(folder)
        except OSError as error:
            logger.warning("the files of the pruned model %s remain: %s", model_id, error)
