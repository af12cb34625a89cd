"""MLflow's home of signatures."""

from autolog.models import set_signature
from autolog_core.models.infer import infer_signature
from autolog_core.models.signature import ModelSignature

__all__ = ["ModelSignature", "infer_signature", "set_signature"]
