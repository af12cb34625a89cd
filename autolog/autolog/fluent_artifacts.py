"""Artifacts of the active run: files, folders, text, data, figures, images, tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from autolog import run_files
from autolog.fluent_runs import live_run, session_of, target
from autolog.run_files import RunFiles
from autolog_core.runs import choose_experiment
from autolog_core.session import default_session

if TYPE_CHECKING:
    import pandas as pd

    from autolog.operations import RunOperations


def _files(run_id: str | None) -> RunFiles:
    live = target(run_id)
    return RunFiles(session_of(live), live)


def log_artifact(
    local_path: str | Path, artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Copies a local file to the run's artifacts, or a folder under its own name.

    Args:
        local_path: The file or folder.
        artifact_path: Folder among the artifacts; the root if absent.
        run_id: Another run than the active one.

    Raises:
        NotFound: There is no such file.
        InvalidArgument: The path leads outside the artifacts.
    """
    _files(run_id).log_path(local_path, artifact_path)


def log_artifacts(
    local_dir: str | Path, artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Copies what a local folder holds to the run's artifacts.

    Args:
        local_dir: The folder.
        artifact_path: Folder among the artifacts; the root if absent.
        run_id: Another run than the active one.

    Raises:
        NotFound: There is no such folder.
        InvalidArgument: It is no folder, or a path leads outside the artifacts.
    """
    _files(run_id).log_folder(local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Writes text to a file of the run's artifacts, as UTF-8.

    Args:
        text: The text.
        artifact_file: Path among the artifacts, such as "notes/first.txt".
        run_id: Another run than the active one.
    """
    _files(run_id).log_text(text, artifact_file)


def log_dict(dictionary: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Writes plain data to a file: YAML if it ends in .yml or .yaml, else JSON.

    Args:
        dictionary: Mappings, lists and values; what JSON does not know becomes text.
        artifact_file: Path among the artifacts.
        run_id: Another run than the active one.
    """
    _files(run_id).log_dict(dictionary, artifact_file)


def log_stream(stream: BinaryIO, artifact_file: str, run_id: str | None = None) -> None:
    """Writes all that a binary stream yields to a file, in constant memory.

    Args:
        stream: Anything whose ``read`` returns bytes.
        artifact_file: Path among the artifacts.
        run_id: Another run than the active one.
    """
    _files(run_id).log_stream(stream, artifact_file)


def log_figure(
    figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None
) -> None:
    """Writes a figure of matplotlib or plotly in the format of the file's ending.

    Args:
        figure: The figure.
        artifact_file: Such as "roc.png", "roc.svg", or "roc.html" for plotly.
        save_kwargs: Arguments of ``savefig``, ``to_html`` or ``to_image``.

    Raises:
        InvalidArgument: It is no figure, or the ending is none of a format.
        MissingExtra: Plotly needs kaleido for images.
    """
    _files(None).log_figure(figure, artifact_file, save_kwargs)


def log_image(
    image: Any,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = False,
) -> RunOperations | None:
    """Writes an image to a file, or as the next image of a series.

    Args:
        image: An image of Pillow, an `autolog.Image`, or an array of shape (height, width), or with
            1, 3 or 4 channels: bool, integers from 0 to 255, or floats from 0 to 1.
        artifact_file: Path of one image among the artifacts.
        key: Name of a series, instead; kept under ``images/`` with a thumbnail.
        step: Step of the image in its series; 0 if absent.
        timestamp: Milliseconds since the epoch; now if absent or 0.
        synchronous: For a series: True waits for the files; else they are written in the
            background, and the call returns a handle to wait with.

    Raises:
        InvalidArgument: It is no image, or the arguments do not go together.
        MissingExtra: Pillow is not installed.
    """
    return _files(None).log_image(image, artifact_file, key, step, timestamp, synchronous)


def log_table(data: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Appends rows to a table of the run's artifacts.

    Threads and processes may append to one table at once: no row is lost.

    Args:
        data: A frame, or a mapping of columns to lists or single values; images are saved beside
            the table.
        artifact_file: Path among the artifacts, ending in .json or .parquet.
        run_id: Another run than the active one.

    Raises:
        InvalidArgument: The data or the ending is of no table.
        MissingExtra: Parquet needs pyarrow.
    """
    _files(run_id).log_table(data, artifact_file)


def load_table(
    artifact_file: str,
    run_ids: Sequence[str] | None = None,
    extra_columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Returns the rows of a table over runs of the active experiment as one frame.

    Args:
        artifact_file: Path among the artifacts.
        run_ids: These runs only.
        extra_columns: Columns of `search_runs` to add, such as "run_id".

    Raises:
        NotFound: No run has the table.
    """
    session = default_session()
    return run_files.load_table(
        session, choose_experiment(session), artifact_file, run_ids, extra_columns
    )


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """Returns the address of the active run's artifacts, or of one of them.

    Args:
        artifact_path: Path among the artifacts.

    Raises:
        InvalidArgument: The path leads outside the artifacts.
    """
    return run_files.artifact_uri(live_run().artifact_uri, artifact_path)


def flush_artifact_async_logging() -> None:
    """Returns when all artifacts that are written in the background are there."""
    default_session().background.wait()
