"""`autolog sync`."""

from __future__ import annotations

import click

from autolog_core.cli.invocation import Invocation, reads


@click.command("sync")
@reads
def sync(call: Invocation) -> None:
    """Bring in what processes that died left in their journals.

    Every reading command does so too; this one says what was found. What damage made unreadable is
    kept beside the database, and named.
    """
    from autolog_core.cli.render.text import plain, plural

    session = call.session()
    found = session.recover()
    if call.as_json:
        call.out.json(
            [
                {
                    "writer_id": item.writer_id,
                    "runs": list(item.runs),
                    "damage": item.damage,
                    "kept": None if item.kept is None else str(item.kept),
                }
                for item in found
            ]
        )
        return
    if not found:
        click.echo("nothing was left behind")
    for item in found:
        click.echo(f"journal {item.writer_id}: {plural(len(item.runs), 'run')} closed as FAILED")
        for run_id in item.runs:
            name = session.store().get_run(run_id).info.run_name or ""
            click.echo(f"  {run_id}  {plain(name)}")
        if item.damage is not None:
            click.echo(f"  damaged: {item.damage}\n  what is left of it is kept in {item.kept}")
