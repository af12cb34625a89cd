"""From a model in memory to a logged model, and from the address of one to its folder.

Logging has two parts: the caller is stopped for a snapshot and gets an id; the files are written in
the background, and the model is then READY, or FAILED with the reason. Whoever loads it in the same
process waits for its files.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from autolog_core.errors import InvalidArgument, InvalidState, NotFound, NotSupported

if TYPE_CHECKING:
    from autolog_core.entities import LoggedModel
    from autolog_core.live import LiveRun
    from autolog_core.logged_models import LiveModel
    from autolog_core.models.manifest import Model, ModelInfo
    from autolog_core.models.memory import Reservation
    from autolog_core.models.snapshot import Snapshot
    from autolog_core.models.workshop import Tally, Workshop
    from autolog_core.session import Session

logger = logging.getLogger("autolog")

SIZE_TAG = "autolog.model.bytes"
DIGEST_TAG = "autolog.model.digest"
_MODELS, _RUNS = "models:/", "runs:/"


def log_model(
    make: Callable[[Model], Snapshot],
    *,
    name: str | None = None,
    artifact_path: str | None = None,
    step: int = 0,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    registered_model_name: str | None = None,
    model_id: str | None = None,
    wait: bool = False,
    run: LiveRun | None = None,
) -> ModelInfo:
    """Logs a model to a run: the active one, or to none if there is none.

    Args:
        make: Takes the snapshot, given the ids that its manifest holds.
        name: The model's name.
        artifact_path: The same, under its old word.
        step: Step of the run that the model is of; metrics of that step are the model's too.
        params: Params of the model, besides those of the run.
        tags: Its tags.
        model_type: What kind of model it is.
        registered_model_name: None: there is no registry yet.
        model_id: A logged model that was begun with `initialize_logged_model`; absent, a new one.
        wait: Whether to write the files before this returns, as must be where the snapshot only
            names some of them.
        run: The run; absent, the active one.

    Raises:
        InvalidArgument: An argument has a wrong value; nothing is logged then.
        NotFound: There is no model `model_id`.
        InvalidState: That model is no more PENDING.
        NotSupported: `registered_model_name` is given.
    """
    from autolog import _active, fluent_models, fluent_runs
    from autolog_core.models.manifest import Model, ModelInfo
    from autolog_core.session import default_session

    if registered_model_name is not None:
        raise NotSupported(
            f"registered_model_name={registered_model_name!r}: this version has no model registry; "
            "leave it out and load the model by its id"
        )
    if name is not None and artifact_path is not None and name != artifact_path:
        raise InvalidArgument(
            f"name={name!r} and artifact_path={artifact_path!r} mean the same: give name only"
        )
    run = run or _active.current()
    session = default_session() if run is None else fluent_runs.session_of(run)
    begun = (
        None if model_id is None else _begun(session, model_id, name or artifact_path, model_type)
    )
    model_id = model_id or f"m-{uuid.uuid4().hex}"
    snapshot = make(Model(model_id=model_id, run_id=None if run is None else run.run_id))
    own = {**({} if run is None else run.params), **(params or {})}
    if begun is not None:
        live = begun
        live.log_params(own)
        live.set_tags(tags or {})
    else:
        live = _begin(session, run, model_id, name or artifact_path, model_type, own, tags)
    fluent_models.remember(live)
    if run is not None:
        run.log_outputs([(model_id, step)])
    payload = snapshot.payload
    tools, size = session.saving.workshop(), getattr(payload, "size", 0)
    counted = not size or getattr(payload, "reserved", False)
    held = None if counted else tools.memory.reserve(size)
    tools.tally.ask(size)
    job = _Writing(live, snapshot, size, held, tools.tally)
    number = session.saving.submit(job, model_id)
    if wait or getattr(payload, "live", False):
        session.saving.wait(None, number)
    known = snapshot.manifest
    example = None if snapshot.example is None else snapshot.example.info
    return ModelInfo(
        Model(
            signature=snapshot.signature,
            saved_input_example_info=example,
            metadata=snapshot.metadata,
            run_id=known.run_id,
            model_id=model_id,
            model_uuid=known.model_uuid,
            utc_time_created=known.utc_time_created,
        ),
        _MODELS + model_id,
        lambda timeout: _wait(session, live, number, timeout),
    )


def _begin(
    session: Session,
    run: LiveRun | None,
    model_id: str,
    name: str | None,
    model_type: str | None,
    params: Mapping[str, Any],
    tags: Mapping[str, Any] | None,
) -> LiveModel:
    from autolog_core.logged_models import begin_model
    from autolog_core.runs import choose_experiment

    return begin_model(
        session,
        choose_experiment(session) if run is None else run.experiment_id,
        name=name,
        source_run_id=None if run is None else run.run_id,
        model_type=model_type,
        params=params,
        tags=tags,
        model_id=model_id,
    )


def _begun(session: Session, model_id: str, name: str | None, model_type: str | None) -> LiveModel:
    """Returns the handle of a model that was begun by hand and has no files yet."""
    from autolog_core.logged_models import live_model

    live = live_model(session, model_id)
    if name is not None and name != live.name:
        raise InvalidArgument(
            f"name={name!r} is not that of model {model_id}, which is {live.name!r}: leave it out"
        )
    if model_type is not None and model_type != live.model_type:
        raise InvalidArgument(
            f"model_type={model_type!r} is not that of model {model_id}, which is "
            f"{live.model_type!r}: leave it out, or begin the model with it"
        )
    if live.status.value != "PENDING" or session.saving.is_saving(model_id):
        raise InvalidState(
            f"model {live.name!r} ({model_id}) has its files, or never gets any: it is "
            f"{live.status.value}; log another model, without model_id"
        )
    return live


def workshop() -> Workshop:
    """Returns what the models of the active run's session share while they are saved."""
    from autolog import _active, fluent_runs
    from autolog_core.session import default_session

    run = _active.current()
    return (default_session() if run is None else fluent_runs.session_of(run)).saving.workshop()


def _wait(session: Session, live: LiveModel, number: int, timeout: float | None) -> bool:
    if not session.saving.wait(timeout, number):
        return False
    if live.status.value == "FAILED":
        _ready(session.read().get_logged_model(live.model_id))
    return True


class _Writing:
    """Writes one model; forgets it then, with all the memory that it holds."""

    def __init__(
        self,
        live: LiveModel,
        snapshot: Snapshot,
        size: int,
        held: Reservation | None,
        tally: Tally,
    ) -> None:
        self._live = live
        self._snapshot: Snapshot | None = snapshot
        self._size = size
        self._held = held
        self._tally = tally

    def __call__(self) -> None:
        snapshot, self._snapshot = self._snapshot, None
        held, self._held = self._held, None
        before = self._tally.done
        if snapshot is not None:
            _write(self._live, snapshot)
        del snapshot
        # What told nothing on its way, or failed, is done all the same.
        self._tally.advance(before + self._size - self._tally.done)
        if held is not None:
            held.release()


def _write(live: LiveModel, snapshot: Snapshot) -> None:
    from autolog_core.artifacts.locate import local_folder
    from autolog_core.models.snapshot import write

    try:
        written = write(snapshot, local_folder(live.artifact_location))
        for note in written.notes:
            logger.warning("model %r (%s): %s", live.name, live.model_id, note)
        live.set_tags({SIZE_TAG: written.size, DIGEST_TAG: written.digest})
    except Exception as error:
        logger.warning("model %r (%s) could not be saved: %s", live.name, live.model_id, error)
        live.finish("FAILED", f"{type(error).__name__}: {error}")
    else:
        live.finish("READY")


def model_folder(uri: str | os.PathLike[str]) -> str:
    """Returns the folder of a model, whose files are there when this returns.

    Args:
        uri: ``models:/<model id>``, ``runs:/<run id>/<model's name or artifact path>``, a folder,
            or the ``file:`` address of one.

    Raises:
        NotFound: There is no such model.
        InvalidState: Its files could not be saved, or are not complete yet.
        NotSupported: The address is one of the registry.
        InvalidArgument: The address is malformed.
    """
    from autolog_core.models.locate import local_model
    from autolog_core.session import default_session

    text = os.fspath(uri)
    if not text.startswith((_MODELS, _RUNS)):
        return local_model(text)
    session = default_session()
    if text.startswith(_RUNS):
        session.saving.wait()
        return local_model(_of_run(session, text))
    name = text.removeprefix(_MODELS)
    if not name.startswith("m-") or "/" in name:
        raise NotSupported(
            f"{text!r} names a registered model, and this version has no registry: use "
            "models:/<model id>, as log_model() and search_logged_models() give it"
        )
    return local_model(_ready(session.read_models(name).get_logged_model(name)).artifact_location)


def artifact_folder(uri: str) -> str:
    """Returns a folder with the files of ``runs:/<run id>/<path>``.

    Raises:
        NotFound: There is no such run, or it has no such files.
        InvalidArgument: The address is malformed.
    """
    from autolog_core.artifacts.locate import open_repository
    from autolog_core.session import default_session

    run_id, _, path = uri.removeprefix(_RUNS).partition("/")
    if not run_id or not path:
        raise InvalidArgument(f"{uri!r} must be runs:/<run id>/<path>")
    run = default_session().read().get_run(run_id)
    return open_repository(run.info.artifact_uri or "").download(path)


def log_folder(folder: str, artifact_path: str) -> None:
    """Copies a folder's files to the active run, or to a new one."""
    from autolog.fluent_artifacts import log_artifacts

    log_artifacts(folder, artifact_path)


def _ready(model: LoggedModel) -> LoggedModel:
    if model.status.value != "READY":
        why = f": {model.status_message}" if model.status_message else ""
        raise InvalidState(
            f"model {model.name!r} ({model.model_id}) is {model.status.value}, not READY{why}"
        )
    return model


def _of_run(session: Session, text: str) -> str:
    run_id, _, path = text.removeprefix(_RUNS).partition("/")
    if not run_id or not path:
        raise InvalidArgument(f"{text!r} must be runs:/<run id>/<model>")
    store = session.read()
    run = store.get_run(run_id)
    made = [store.get_logged_model(each.model_id) for each in run.outputs.model_outputs]
    named = [model for model in made if model.name == path]
    if named:
        return _ready(max(named, key=lambda model: model.creation_timestamp)).artifact_location
    from autolog_core.artifacts.locate import open_repository

    folder = open_repository(run.info.artifact_uri or "").download(path)
    if not os.path.isfile(os.path.join(folder, "MLmodel")):
        raise NotFound(f"run {run_id} has no model {path!r}")
    return folder
