"""`autolog runs rename`, `tag`, `note`, `delete` and `restore`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from autolog_core.cli.invocation import Invocation, acts
from autolog_core.cli.pairs import describe_change, parse_pairs

if TYPE_CHECKING:
    from autolog_core.entities import Run
    from autolog_core.stores.base import Store
    from autolog_core.stores.operations import Operation

_NAME_TAG = "mlflow.runName"
_NOTE_TAG = "mlflow.note.content"


@click.command("rename")
@click.argument("run")
@click.argument("name")
@acts
def rename(call: Invocation, run: str, name: str) -> None:
    """Give RUN the name NAME."""
    from autolog_core.errors import InvalidArgument

    if not name.strip():
        raise InvalidArgument("the name of a run must not be empty")
    store = call.store()
    found = _active(store, run, call.now)
    _set_tags(store, found, {_NAME_TAG: name})
    _say(found, f"is now {name!r}")


@click.command("tag")
@click.argument("run")
@click.argument("pairs", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("-r", "--remove", metavar="KEY", multiple=True, help="Remove a tag.")
@acts
def tag(call: Invocation, run: str, pairs: Sequence[str], remove: Sequence[str]) -> None:
    """Set tags of RUN, or remove some with --remove."""
    from autolog_core.errors import NotFound
    from autolog_core.stores.operations import DeleteTag

    labels = parse_pairs(pairs)
    if not labels and not remove:
        raise click.UsageError("give KEY=VALUE or --remove KEY")
    store = call.store()
    found = _active(store, run, call.now)
    for key in remove:
        if key not in found.data.tags:
            raise NotFound(f"run {found.info.run_id} has no tag {key!r}")
    removals = [DeleteTag(found.info.run_id, key) for key in remove]
    _set_tags(store, found, labels, removals)
    _say(found, describe_change(labels, remove))


@click.command("note")
@click.argument("run")
@click.argument("text", required=False)
@click.option("--edit", is_flag=True, help="Write it in the editor that EDITOR names.")
@acts
def note(call: Invocation, run: str, text: str | None, edit: bool) -> None:
    """Write a note on RUN, in Markdown, in place of the one it has.

    TEXT "-" reads standard input; an empty TEXT removes the note. Without TEXT the note is printed.
    """
    from autolog_core.cli.render.text import plain_lines
    from autolog_core.stores.operations import DeleteTag

    if edit and text is not None:
        raise click.UsageError("TEXT and --edit exclude each other")
    store = call.store()
    if text is None and not edit:
        from autolog_core.cli.lookup import find_run

        before = find_run(store, run, call.now).data.tags.get(_NOTE_TAG, "")
        click.echo(plain_lines(before), nl=bool(before))
        return
    found = _active(store, run, call.now)
    before = found.data.tags.get(_NOTE_TAG, "")
    if edit:
        written = click.edit(before, extension=".md")
        if written is None:
            click.echo("left as it was", err=True)
            return
        text = written.rstrip("\n")
    elif text == "-":
        text = sys.stdin.read().rstrip("\n")
    if text:
        _set_tags(store, found, {_NOTE_TAG: text})
        _say(found, "has a new note")
    else:
        removal = [DeleteTag(found.info.run_id, _NOTE_TAG)] if before else []
        _set_tags(store, found, {}, removal)
        _say(found, "has no note")


@click.command("delete")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@acts
def delete(call: Invocation, runs: Sequence[str]) -> None:
    """Put runs away: listings leave them out, `autolog runs restore` brings them back."""
    from autolog_core.cli.lookup import find_runs

    store = call.store()
    for found in find_runs(store, runs, call.now):
        store.delete_run(found.info.run_id)
        _say(found, "is deleted")


@click.command("restore")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@acts
def restore(call: Invocation, runs: Sequence[str]) -> None:
    """Bring deleted runs back."""
    from autolog_core.cli.lookup import find_runs

    store = call.store()
    for found in find_runs(store, runs, call.now, deleted=True):
        store.restore_run(found.info.run_id)
        _say(found, "is back")


def _active(store: Store, word: str, now: int) -> Run:
    from autolog_core.cli.lookup import find_run
    from autolog_core.entities import LifecycleStage
    from autolog_core.errors import InvalidArgument

    run = find_run(store, word, now)
    if run.info.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidArgument(
            f"run {run.info.run_id} is deleted: bring it back first with "
            f"`autolog runs restore {run.info.run_id}`"
        )
    return run


def _set_tags(
    store: Store, run: Run, labels: dict[str, str], removals: Sequence[Operation] = ()
) -> None:
    from autolog_core import limits
    from autolog_core.stores.operations import SetTags

    checked = tuple(
        (
            limits.check_key(key, "tag"),
            limits.check_text(value, limits.TAG_VALUE_LENGTH, f"value of tag {key!r}"),
        )
        for key, value in labels.items()
    )
    changes = [SetTags(run.info.run_id, checked), *removals] if checked else list(removals)
    if changes:
        store.apply(changes)


def _say(run: Run, what: str) -> None:
    from autolog_core.cli.render.text import plain

    name = plain(run.info.run_name or "")
    click.echo(f"run {run.info.run_id} ({name}) {what}", err=True)
