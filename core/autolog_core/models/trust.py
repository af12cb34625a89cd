"""Who says that a model may run code when it is loaded.

A pickle, a folder of code, a loader of the user's own: whoever wrote them decides what runs. They
are loaded only when somebody says so: the caller (``trust=True``), the settings
(``AUTOLOG_TRUST_MODELS``), or the seal of this user's own key. Safe formats ask nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autolog_core.config import read_settings
from autolog_core.errors import PermissionDenied
from autolog_core.models.manifest import Model
from autolog_core.models.seal import is_sealed


def require_trust(
    folder: Path, model: Model, reasons: Sequence[str], trust: bool | None = None
) -> None:
    """Returns if the model may be loaded.

    Args:
        folder: The model directory.
        model: Its manifest.
        reasons: What of it runs code when it is loaded; nothing is asked where there is none.
        trust: What the caller says; None leaves it to the settings and the seal.

    Raises:
        PermissionDenied: Nobody trusts it; the message says how to.
    """
    if reasons and not is_trusted(folder, model, trust):
        raise PermissionDenied(
            f"loading the model {folder} can run code of whoever wrote it: {'; '.join(reasons)}. "
            "It was not saved by this user, or was changed since. If you trust its source, pass "
            "trust=True to load_model, or set AUTOLOG_TRUST_MODELS=true for all models"
        )


def is_trusted(folder: Path, model: Model, trust: bool | None = None) -> bool:
    """Whether somebody says that the model may run code: the caller, the settings or the seal."""
    said = trust if trust is not None else read_settings().trust_models
    return is_sealed(folder, model) if said is None else said
