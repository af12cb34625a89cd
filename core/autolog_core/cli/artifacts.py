"""`autolog artifacts`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from autolog_core.cli.invocation import Invocation, acts, reads

if TYPE_CHECKING:
    from autolog_core.artifacts.base import ArtifactRepository
    from autolog_core.entities import Run

_CHUNK = 1 << 20


@click.group()
def artifacts() -> None:
    """List, read and write the files of a run.

    RUN is a run's id, the first characters of its id, or its name. PATH is relative to the run's
    artifacts, with forward slashes.
    """


@artifacts.command("list", short_help="List a run's files.")
@click.argument("run")
@click.argument("path", required=False, default="")
@click.option("-r", "--recursive", is_flag=True, help="Also what lies in folders.")
@reads
def list_artifacts(call: Invocation, run: str, path: str, recursive: bool) -> None:
    """List the files of RUN, or those in its folder PATH."""
    from autolog_core.cli.files import walk
    from autolog_core.cli.render.files import file_table
    from autolog_core.errors import NotFound

    found, repository = _open(call, run)
    files = list(walk(repository, path) if recursive else repository.list(path))
    if not files and path and not repository.exists(path):
        raise NotFound(f"run {found.info.run_id} has no artifact {path!r}")
    if not files and path:
        raise NotFound(f"{path!r} holds no files: `autolog artifacts cat` prints a file")
    if call.as_json:
        call.out.json(
            [{"path": f.path, "is_dir": f.is_dir, "file_size": f.file_size} for f in files]
        )
    elif files:
        call.out.table(file_table(files))
    else:
        call.out.hint(f"run {found.info.run_id} has no artifacts")


@artifacts.command("download", short_help="Copy a file or folder of a run to a local folder.")
@click.argument("run")
@click.argument("path", required=False, default="")
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="FOLDER",
    default=".",
    show_default=True,
    help="Put it here, under its whole artifact path.",
)
@acts
def download(call: Invocation, run: str, path: str, folder: str) -> None:
    """Copy PATH of RUN, or all its files, to a local folder, and print where it is."""
    _, repository = _open(call, run)
    click.echo(repository.download(path, folder))


@artifacts.command("cat", short_help="Print a file of a run.")
@click.argument("run")
@click.argument("path")
@acts
def cat(call: Invocation, run: str, path: str) -> None:
    """Print the file PATH of RUN as it is; to a terminal only text."""
    _, repository = _open(call, run)
    with repository.open_stream(path) as stream:
        data = stream.read(_CHUNK)
        if sys.stdout.isatty():
            from autolog_core.cli.render.text import plain_lines

            if b"\0" in data:
                raise click.UsageError(f"{path!r} is not text: send it to a file with > FILE")
            while data:
                # A line is never split: what is half of one would look like two.
                data += stream.readline()
                click.echo(plain_lines(data.decode(errors="replace")))
                data = stream.read(_CHUNK)
            return
        while data:
            sys.stdout.buffer.write(data)
            data = stream.read(_CHUNK)
        sys.stdout.buffer.flush()


@artifacts.command("log", short_help="Add a local file or folder to a run.")
@click.argument("run")
@click.argument("local", type=click.Path(exists=True))
@click.option(
    "-p",
    "--path",
    "folder",
    metavar="FOLDER",
    default="",
    help="Put it in this folder of the run's artifacts.",
)
@acts
def log(call: Invocation, run: str, local: str, folder: str) -> None:
    """Add the file LOCAL to RUN, or all that lies in the folder LOCAL."""
    import os

    from autolog_core.entities import LifecycleStage
    from autolog_core.errors import InvalidArgument

    found, repository = _open(call, run)
    if found.info.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidArgument(
            f"run {found.info.run_id} is deleted: bring it back first with "
            f"`autolog runs restore {found.info.run_id}`"
        )
    if os.path.isdir(local):
        paths = repository.log_folder(local, folder)
    else:
        paths = [repository.log_file(local, folder)]
    click.echo("".join(f"{path}\n" for path in paths), nl=False)


def _open(call: Invocation, run: str) -> tuple[Run, ArtifactRepository]:
    from autolog_core.cli.files import repository_of
    from autolog_core.cli.lookup import find_run

    found = find_run(call.store(), run, call.now)
    return found, repository_of(found)
