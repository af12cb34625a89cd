"""Client methods for artifacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from autolog import run_files
from autolog.client_base import ClientBase
from autolog.run_files import RunFiles
from autolog_core.entities import FileInfo

if TYPE_CHECKING:
    import pandas as pd

    from autolog.operations import RunOperations


class ArtifactMethods(ClientBase):
    """Files of runs. A file appears whole or not at all."""

    def _files(self, run_id: str) -> RunFiles:
        session = self._session
        return RunFiles(session, session.live(run_id))

    def log_artifact(
        self, run_id: str, local_path: str | Path, artifact_path: str | None = None
    ) -> None:
        """Copies a local file to a run's artifacts, or a folder under its own name.

        Args:
            run_id: The run.
            local_path: The file or folder.
            artifact_path: Folder among the artifacts; the root if absent.

        Raises:
            NotFound: There is no such run or file.
            InvalidArgument: The path leads outside the artifacts.
        """
        self._files(run_id).log_path(local_path, artifact_path)

    def log_artifacts(
        self, run_id: str, local_dir: str | Path, artifact_path: str | None = None
    ) -> None:
        """Copies what a local folder holds to a run's artifacts.

        Args:
            run_id: The run.
            local_dir: The folder.
            artifact_path: Folder among the artifacts; the root if absent.

        Raises:
            NotFound: There is no such run or folder.
            InvalidArgument: It is no folder, or a path leads outside the artifacts.
        """
        self._files(run_id).log_folder(local_dir, artifact_path)

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Writes text to a file of a run's artifacts, as UTF-8."""
        self._files(run_id).log_text(text, artifact_file)

    def log_dict(self, run_id: str, dictionary: Any, artifact_file: str) -> None:
        """Writes plain data to a file: YAML if it ends in .yml or .yaml, else JSON."""
        self._files(run_id).log_dict(dictionary, artifact_file)

    def log_stream(self, run_id: str, stream: BinaryIO, artifact_file: str) -> None:
        """Writes all that a binary stream yields to a file, in constant memory."""
        self._files(run_id).log_stream(stream, artifact_file)

    def log_figure(
        self,
        run_id: str,
        figure: Any,
        artifact_file: str,
        *,
        save_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes a figure of matplotlib or plotly; see `autolog.log_figure`."""
        self._files(run_id).log_figure(figure, artifact_file, save_kwargs)

    def log_image(
        self,
        run_id: str,
        image: Any,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,
    ) -> RunOperations | None:
        """Writes an image to a file, or as the next one of a series; see `autolog.log_image`."""
        return self._files(run_id).log_image(
            image, artifact_file, key, step, timestamp, synchronous
        )

    def log_table(self, run_id: str, data: Any, artifact_file: str) -> None:
        """Appends rows to a table; see `autolog.log_table`."""
        self._files(run_id).log_table(data, artifact_file)

    def load_table(
        self,
        experiment_id: str,
        artifact_file: str,
        run_ids: Sequence[str] | None = None,
        extra_columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Returns the rows of a table over runs of an experiment; see `autolog.load_table`."""
        return run_files.load_table(
            self._session, str(experiment_id), artifact_file, run_ids, extra_columns
        )

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[FileInfo]:
        """Returns what lies directly in a folder of a run's artifacts.

        Raises:
            NotFound: There is no such run.
            InvalidArgument: The path leads outside the artifacts.
        """
        return run_files.list_files(self._session, run_id, path)

    def download_artifacts(self, run_id: str, path: str, dst_path: str | Path | None = None) -> str:
        """Makes an artifact available locally and returns its path.

        Args:
            run_id: The run.
            path: File or folder among the artifacts; "" for all.
            dst_path: Local folder to copy it to; made if missing. Without it artifacts on this
                machine are not copied: do not change them.

        Raises:
            NotFound: There is no such run or artifact.
        """
        return run_files.repository_of(self._session, run_id).download(path, dst_path)
