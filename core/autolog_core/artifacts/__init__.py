"""Files of runs: the specification of a repository, and the repositories."""

from autolog_core.artifacts.base import ArtifactRepository
from autolog_core.artifacts.locate import open_repository

__all__ = ["ArtifactRepository", "open_repository"]
