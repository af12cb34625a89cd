"""Client methods for logged models."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from autolog import fluent_models as shared
from autolog.client_base import ClientBase
from autolog_core.artifacts import open_repository
from autolog_core.entities import FileInfo, LoggedModel, LoggedModelOutput, LoggedModelStatus, Page
from autolog_core.logged_models import begin_model, live_model, remove_model, revive_model

if TYPE_CHECKING:
    from autolog_core.artifacts import ArtifactRepository

_PAGE = 50


class ModelMethods(ClientBase):
    """Logged models: making, changing, finding, putting away, and their files."""

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        model_type: str | None = None,
    ) -> LoggedModel:
        """Begins a logged model that stays PENDING until `finalize_logged_model`.

        Args:
            experiment_id: Where it belongs.
            name: Its name; a random one if absent.
            source_run_id: The run that makes it.
            tags: Its tags, as text.
            params: Its params, as text.
            model_type: What kind of model it is, in your words.

        Raises:
            NotFound: There is no such experiment.
            InvalidArgument: It is deleted, or an argument breaks a limit.
        """
        session = self._session
        live = begin_model(
            session,
            str(experiment_id),
            name=name,
            source_run_id=source_run_id,
            model_type=model_type,
            params=params,
            tags=tags,
            owned=False,
        )
        return live.record()

    def log_model_params(self, model_id: str, params: Mapping[str, Any]) -> None:
        """Logs params of a logged model, as text; all are checked before any is written.

        Raises:
            ParamConflict: The model has one of them with another value.
            NotFound: There is no such model.
            InvalidArgument: A key or value breaks a limit.
        """
        live_model(self._session, model_id).log_params(params)

    def finalize_logged_model(
        self, model_id: str, status: Literal["READY", "FAILED"] | LoggedModelStatus
    ) -> LoggedModel:
        """Says how the making of a logged model went, and returns the model.

        Raises:
            NotFound: There is no such model.
            InvalidArgument: The status is neither READY nor FAILED.
            InvalidState: Its weights were pruned.
        """
        return shared.finish_model(self._session, model_id, status)

    def get_logged_model(self, model_id: str) -> LoggedModel:
        """Returns a logged model with all that is known of it.

        Raises:
            NotFound: There is none, or it is deleted.
        """
        return self._session.read_models(model_id).get_logged_model(model_id)

    def delete_logged_model(self, model_id: str) -> None:
        """Puts a logged model away; `restore_logged_model` brings it back.

        Raises:
            NotFound: There is none.
        """
        remove_model(self._session, model_id)

    def restore_logged_model(self, model_id: str) -> LoggedModel:
        """Brings back a deleted logged model, and returns it.

        Raises:
            NotFound: There is no deleted one of that id.
        """
        return revive_model(self._session, model_id)

    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, Any]) -> None:
        """Sets tags of a logged model, as text.

        Raises:
            NotFound: There is no such model.
            InvalidArgument: A key or value breaks a limit.
        """
        live_model(self._session, model_id).set_tags(tags)

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Removes a tag of a logged model.

        Raises:
            NotFound: There is no such model or tag.
        """
        shared.drop_tag(self._session, model_id, key)

    def log_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        """Records that a run made logged models; see `autolog.log_outputs`.

        Raises:
            NotFound: There is no such run.
            InvalidArgument: The run is deleted, or an entry is no `LoggedModelOutput`.
        """
        self._session.live(run_id).log_outputs(shared.model_outputs(models))

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: Sequence[Mapping[str, Any]] | None = None,
        max_results: int | None = None,
        order_by: Sequence[Mapping[str, Any] | str] | None = None,
        page_token: str | None = None,
    ) -> Page[LoggedModel]:
        """Returns a page of logged models; see `autolog.search_logged_models`.

        Args:
            experiment_ids: Where to look.
            filter_string: Such as ``"metrics.acc > 0.9"``.
            datasets: On which datasets metrics in the filter count; any if absent.
            max_results: Size of the page; 50 if absent.
            order_by: Newest first if absent.
            page_token: `token` of the page before, of the same search.

        Raises:
            InvalidFilter: The filter or ordering cannot be read.
            InvalidArgument: An argument is off.
        """
        places = shared.places_of(experiment_ids)
        size = _PAGE if max_results is None else max_results
        return self._session.read_models().search_logged_models(
            places, filter_string, datasets, size, order_by, page_token
        )

    def log_model_artifact(
        self, model_id: str, local_path: str | Path, artifact_path: str | None = None
    ) -> None:
        """Copies a local file to a model's files, or a folder under its own name.

        Args:
            model_id: The model.
            local_path: The file or folder.
            artifact_path: Folder among the model's files; the root if absent.

        Raises:
            NotFound: There is no such model or file.
            InvalidArgument: The path leads outside the model's files.
        """
        repository, folder = self._model_files(model_id), artifact_path or ""
        if os.path.isdir(local_path):
            name = os.path.basename(os.path.abspath(local_path))
            repository.log_folder(local_path, posixpath.join(folder, name))
        else:
            repository.log_file(local_path, folder)

    def log_model_artifacts(
        self, model_id: str, local_dir: str | Path, artifact_path: str | None = None
    ) -> None:
        """Copies what a local folder holds to a model's files.

        Args:
            model_id: The model.
            local_dir: The folder.
            artifact_path: Folder among the model's files; the root if absent.

        Raises:
            NotFound: There is no such model or folder.
            InvalidArgument: It is no folder, or a path leads outside the model's files.
        """
        self._model_files(model_id).log_folder(local_dir, artifact_path or "")

    def list_logged_model_artifacts(self, model_id: str, path: str | None = None) -> list[FileInfo]:
        """Returns what lies directly in a folder of a model's files.

        Raises:
            NotFound: There is no such model.
            InvalidArgument: The path leads outside the model's files.
        """
        return self._model_files(model_id).list(path or "")

    def _model_files(self, model_id: str) -> ArtifactRepository:
        return open_repository(live_model(self._session, model_id).artifact_location)
