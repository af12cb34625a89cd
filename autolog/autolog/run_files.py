"""The artifacts of one run."""

from __future__ import annotations

import json
import logging
import os
import posixpath
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from autolog import _content, _images, _tables, operations
from autolog.utils.mlflow_tags import MLFLOW_LOGGED_ARTIFACTS, MLFLOW_LOGGED_IMAGES
from autolog_core.artifacts import ArtifactRepository, open_repository
from autolog_core.entities import FileInfo
from autolog_core.errors import InvalidArgument, NotFound
from autolog_core.limits import check_artifact_path, check_int64, check_timestamp
from autolog_core.live import now

if TYPE_CHECKING:
    import pandas as pd
    from PIL.Image import Image as PilImage

    from autolog.operations import RunOperations
    from autolog_core.live import LiveRun
    from autolog_core.session import Session

_logger = logging.getLogger(__name__)

_PATIENCE = 30.0
"""Seconds that reading waits at most for files that are written in the background."""


class RunFiles:
    """Writes the artifacts of a run; a file appears whole or not at all.

    Args:
        session: Where the run is kept.
        live: Its writing handle.
    """

    def __init__(self, session: Session, live: LiveRun) -> None:
        self._session = session
        self._live = live
        self.repository: ArtifactRepository = open_repository(live.artifact_uri)

    def log_path(self, local_path: str | Path, artifact_path: str | None = None) -> None:
        """Copies a file, or a folder under its own name, into a folder of the artifacts."""
        folder = artifact_path or ""
        if os.path.isdir(local_path):
            name = os.path.basename(os.path.abspath(local_path))
            self.repository.log_folder(local_path, posixpath.join(folder, name))
        else:
            self.repository.log_file(local_path, folder)

    def log_folder(self, local_dir: str | Path, artifact_path: str | None = None) -> None:
        """Copies what a local folder holds into a folder of the artifacts."""
        self.repository.log_folder(local_dir, artifact_path or "")

    def log_text(self, text: str, artifact_file: str) -> None:
        """Writes text as UTF-8."""
        if not isinstance(text, str):
            raise InvalidArgument(
                f"text must be a string, got {type(text).__name__}; use log_dict() for data or "
                "log_stream() for bytes"
            )
        self.repository.write_bytes(artifact_file, text.encode())

    def log_dict(self, dictionary: Any, artifact_file: str) -> None:
        """Writes plain data as YAML (.yml, .yaml) or JSON."""
        self.repository.write_bytes(artifact_file, _content.dict_bytes(dictionary, artifact_file))

    def log_stream(self, stream: BinaryIO, artifact_file: str) -> None:
        """Writes all that a binary stream yields."""
        if not callable(getattr(stream, "read", None)):
            raise InvalidArgument(
                f"stream must be a binary file-like object, got {type(stream).__name__}"
            )
        self.repository.write_stream(artifact_file, stream)

    def log_figure(
        self, figure: Any, artifact_file: str, save_kwargs: Mapping[str, Any] | None = None
    ) -> None:
        """Writes a figure in the format of the file's ending."""
        content = _content.figure_bytes(figure, artifact_file, save_kwargs)
        self.repository.write_bytes(artifact_file, content)

    def log_image(
        self,
        image: Any,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,
    ) -> RunOperations | None:
        """Writes an image to a file, or as the next one of the series `key`."""
        if artifact_file is not None and (key, step, timestamp) != (None, None, None):
            raise InvalidArgument(
                f"artifact_file={artifact_file!r} names one file and goes without key, step and "
                "timestamp; leave it out to log a series of images"
            )
        if artifact_file is None and key is None:
            raise InvalidArgument("log_image() needs artifact_file, or key for a series of images")
        picture = _images.to_pil(image)
        if artifact_file is not None:
            content = _images.encode(picture, _content.extension(artifact_file))
            self.repository.write_bytes(artifact_file, content)
            return None
        paths = _images.series_paths(
            str(key),
            0 if step is None else check_int64(step, "step"),
            check_timestamp(timestamp) if timestamp else now(),
            str(uuid.uuid4()),
        )
        # The caller may paint over the image before the background gets to it.
        picture = picture if synchronous else picture.copy()
        self._live.set_tags({MLFLOW_LOGGED_IMAGES: "True"})
        if synchronous:
            self._save_image(picture, *paths)
            return None
        saved = self._in_background(lambda: self._save_image(picture, *paths))
        return operations.done(False, saved.result)

    def _save_image(self, image: PilImage, path: str, small_path: str) -> None:
        self.repository.write_bytes(path, _images.encode(image, ".png"))
        small = _images.encode(_images.thumbnail(image), ".webp")
        self.repository.write_bytes(small_path, small)

    def _in_background(self, job: Callable[[], None]) -> Future[None]:
        future: Future[None] = Future()

        def work() -> None:
            try:
                job()
            except BaseException as error:
                future.set_exception(error)
                raise
            future.set_result(None)

        self._session.background.submit(work)
        return future

    def log_table(self, data: Any, artifact_file: str) -> None:
        """Appends rows to a table, safely beside other threads and processes."""
        kind = _tables.check_table_file(artifact_file)
        path = posixpath.normpath(artifact_file)
        stem = posixpath.splitext(path)[0]
        frame = _tables.to_frame(data, lambda image: self._save_cell(image, stem))
        append = _tables.append_json if kind == ".json" else _tables.append_parquet
        with self.repository.locked(path):
            known = self.repository.exists(path)
            before = self.repository.read_bytes(path) if known else None
            self.repository.write_bytes(path, append(frame, before))
        self._add_table_tag(path)

    def _save_cell(self, image: Any, stem: str) -> dict[str, str]:
        path = f"table_images/{stem}/{uuid.uuid4()}"
        self._save_image(_images.to_pil(image), f"{path}.png", f"{path}.webp")
        return {
            "type": "image",
            "filepath": f"{path}.png",
            "compressed_filepath": f"{path}.webp",
        }

    def _add_table_tag(self, path: str) -> None:
        entry = {"path": path, "type": "table"}
        if entry in logged_artifacts(self._live.tags):
            return
        with self.repository.locked(MLFLOW_LOGGED_ARTIFACTS):
            # Other processes keep their tables in the same tag: read, add and store it as one.
            entries = logged_artifacts(self._session.read().get_run(self._live.run_id).data.tags)
            if entry not in entries:
                entries.append(entry)
            self._live.set_tags({MLFLOW_LOGGED_ARTIFACTS: json.dumps(entries)})
            self._session.drain()


def artifact_uri(root: str, artifact_path: str | None) -> str:
    """Returns the address of an artifact under its run's root address."""
    path = check_artifact_path(artifact_path)
    return f"{root.rstrip('/')}/{path}" if path else root


def logged_artifacts(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Returns the entries of the tag ``mlflow.loggedArtifacts``."""
    found: list[dict[str, str]] = json.loads(tags.get(MLFLOW_LOGGED_ARTIFACTS, "[]"))
    return found


def repository_of(session: Session, run_id: str) -> ArtifactRepository:
    """Returns the repository to read a run's artifacts from; what is on its way is waited for.

    Raises:
        NotFound: There is no such run.
    """
    session.background.wait(_PATIENCE)
    session.saving.wait_for(run_id)
    return open_repository(session.read().get_run(run_id).info.artifact_uri or "")


def list_files(session: Session, run_id: str, path: str | None = None) -> list[FileInfo]:
    """Returns what lies directly in a folder of a run's artifacts."""
    return repository_of(session, run_id).list(path or "")


def load_table(
    session: Session,
    experiment_id: str,
    artifact_file: str,
    run_ids: Sequence[str] | None = None,
    extra_columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Returns the rows of a table over runs of an experiment as one frame.

    Raises:
        NotFound: No run has the table.
        InvalidArgument: A column of `extra_columns` is none of the runs'.
    """
    import pandas as pd

    from autolog._frames import runs_frame
    from autolog._paging import collect

    kind = _tables.check_table_file(artifact_file)
    read = _tables.read_json if kind == ".json" else _tables.read_parquet
    path = posixpath.normpath(artifact_file)
    session.background.wait(_PATIENCE)
    store = session.read()
    entry = {"path": path, "type": "table"}
    condition = f"tags.`{MLFLOW_LOGGED_ARTIFACTS}` IS NOT NULL"
    if run_ids:
        condition += f" AND run_id IN ({', '.join(map(repr, run_ids))})"
    runs = [
        run
        for run in collect(
            lambda size, token: store.search_runs(
                [experiment_id], condition, max_results=size, page_token=token
            ),
            None,
        )
        if entry in logged_artifacts(run.data.tags)
    ]
    if not runs:
        raise NotFound(
            f"no run of experiment {experiment_id}"
            + (f" among {list(run_ids)}" if run_ids else "")
            + f" has the table {path!r}"
        )
    missing = set(run_ids or ()) - {run.info.run_id for run in runs}
    if missing:
        _logger.warning("load_table(): no table %r in runs %s", path, ", ".join(sorted(missing)))
    rows: list[Any] = runs_frame(runs).to_dict("records") if extra_columns else [{}] * len(runs)
    frames = []
    for run, values in zip(runs, rows, strict=True):
        frame = read(open_repository(run.info.artifact_uri or "").read_bytes(path))
        frames.append(_tables.add_columns(frame, extra_columns or (), values))
    return pd.concat(frames, ignore_index=True)
