"""Finds the run or experiment that a word on the command line means."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from autolog_core.cli.render.text import ago, plain
from autolog_core.entities import Experiment, Run, ViewType
from autolog_core.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    from autolog_core.config import Settings
    from autolog_core.stores.base import Store

_PAGE = 1000
_SHOWN = 6


def experiments(store: Store, view_type: int = ViewType.ACTIVE_ONLY) -> Iterator[Experiment]:
    """Yields all experiments, the newest first."""
    token: str | None = None
    while True:
        page = store.search_experiments(view_type=view_type, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if token is None:
            return


def find_experiment(store: Store, word: str) -> Experiment:
    """Returns the experiment whose id or name is `word`, deleted ones included.

    Raises:
        NotFound: There is none; the message names similar ones.
    """
    if word.isascii() and word.isdigit():
        try:
            return store.get_experiment(word)
        except NotFound:
            pass  # it may still be a name
    found = store.get_experiment_by_name(word)
    if found is None:
        names = [experiment.name for experiment in experiments(store)]
        raise NotFound(
            f"there is no experiment with id or name {plain(word)!r}: {_similar(word, names)}"
            "see `autolog experiments list`"
        )
    return found


def chosen_experiments(
    store: Store, settings: Settings, words: Sequence[str], everywhere: bool
) -> list[Experiment]:
    """Returns the experiments that a listing of runs covers.

    These are the named ones; else the one that the environment names; else all active ones.

    Raises:
        NotFound: A named one does not exist.
    """
    if not words and not everywhere:
        named = settings.experiment_name or settings.experiment_id
        words = [named] if named else []
    if not words:
        return list(experiments(store))
    found = [find_experiment(store, word) for word in words]
    return list({experiment.experiment_id: experiment for experiment in found}.values())


def find_run(store: Store, word: str | None, now: int, deleted: bool = False) -> Run:
    """Returns the run that `word` means: its id, the start of its id, or its name.

    Args:
        store: Where to look.
        word: None means the run that started last.
        now: Milliseconds since the epoch, for the message when several runs fit.
        deleted: Whether a name means a deleted run rather than an active one.

    Raises:
        NotFound: No run fits.
        InvalidArgument: Several do; the message lists them.
    """
    everywhere = [item.experiment_id for item in experiments(store, ViewType.ALL)]
    if word is None:
        newest = store.search_runs(everywhere, max_results=1)
        if not newest:
            raise NotFound("there is no run yet")
        return newest[0]
    if _may_be_id(word):
        try:
            return store.get_run(word)
        except NotFound:
            pass  # it may still be the start of an id, or a name
    first, second = ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY
    if deleted:
        first, second = second, first
    found = (
        _search(store, everywhere, "run_name = ", word, first)
        or _by_prefix(store, everywhere, word)
        or _search(store, everywhere, "run_name = ", word, second)
    )
    if not found:
        raise NotFound(_nothing(store, everywhere, word))
    if len(found) > 1:
        raise InvalidArgument(_several(word, found, now))
    return found[0]


def find_runs(store: Store, words: Sequence[str], now: int, deleted: bool = False) -> list[Run]:
    """Returns the run that each word means, in their order.

    Raises:
        NotFound: No run fits a word.
        InvalidArgument: Several runs fit a word.
    """
    return [find_run(store, word, now, deleted) for word in words]


def _may_be_id(word: str) -> bool:
    return word.isascii() and word.replace("-", "").replace("_", "").isalnum()


def _by_prefix(store: Store, experiment_ids: Sequence[str], word: str) -> list[Run]:
    if not _may_be_id(word) or len(word) < 2:
        return []
    # `_` in the word stands for any character in LIKE, so more may come than asked for.
    found = _search(store, experiment_ids, "run_id LIKE ", word + "%", ViewType.ALL)
    return [run for run in found if run.info.run_id.startswith(word)]


def _search(
    store: Store, experiment_ids: Sequence[str], condition: str, value: str, view: int
) -> list[Run]:
    quoted = "'" + value.replace("'", "''") + "'"
    return list(store.search_runs(experiment_ids, condition + quoted, view, max_results=200))


def _nothing(store: Store, experiment_ids: Sequence[str], word: str) -> str:
    recent = store.search_runs(experiment_ids, max_results=200)
    names = [run.info.run_name or "" for run in recent]
    return (
        f"there is no run with id or name {plain(word)!r}: {_similar(word, names)}"
        "see `autolog runs list`"
    )


def _several(word: str, runs: Sequence[Run], now: int) -> str:
    lines = [
        f"  {run.info.run_id}  {plain(run.info.run_name or '')}  {ago(run.info.start_time, now)}"
        for run in runs[:_SHOWN]
    ]
    if len(runs) > _SHOWN:
        lines.append(f"  and {len(runs) - _SHOWN} more")
    return f"{plain(word)!r} fits several runs; give more of the id:\n" + "\n".join(lines)


def _similar(word: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
    if not near:
        return ""
    return "did you mean " + " or ".join(repr(plain(name)) for name in dict.fromkeys(near)) + "? "
