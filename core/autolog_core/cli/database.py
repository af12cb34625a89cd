"""`autolog db`."""

from __future__ import annotations

from dataclasses import asdict

import click

from autolog_core.cli.invocation import Invocation, acts, reads

_TABLES = {
    "experiments": "experiments",
    "runs": "runs",
    "params": "params",
    "tags": "tags",
    "latest_metrics": "metrics",
    "datasets": "datasets",
}


@click.group()
def database() -> None:
    """Check and upgrade a tracking database.

    ADDRESS is such as mlruns, or sqlite:///mlruns/tracking.db; by default the one in force.
    """


@database.command("check", short_help="Read a database from end to end and say what is wrong.")
@click.argument("address", required=False)
@reads
@click.pass_context
def check(ctx: click.Context, call: Invocation, address: str | None) -> None:
    """Read a database from end to end: its pages, its indexes, every point of every metric.

    Exit code 1 when something is wrong.
    """
    from autolog_core.cli.render.page import Page, pairs
    from autolog_core.cli.render.text import count, plain_lines, size
    from autolog_core.stores.sql.maintenance import check as check_database

    found = check_database(_resolve(call, address))
    out = call.out
    if call.as_json:
        out.json({**asdict(found), "ok": found.ok})
    else:
        newest = "" if found.revision == found.newest else f", the newest is {found.newest}"
        facts = [
            ("database", found.address),
            ("schema", f"{found.revision or 'none'}{newest}"),
            ("size", size(found.size)),
        ]
        facts += [
            (word, count(found.counts[name]))
            for name, word in _TABLES.items()
            if name in found.counts
        ]
        facts.append(("points", count(found.points)))
        page = Page(None, call.now, out.ascii_only)
        out.text(pairs(facts, page, facts=True))
        for problem in found.problems:
            out.line(f"  {plain_lines(problem)}", style="red")
        if found.ok:
            out.line("  nothing is wrong", style="green")
    if not found.ok:
        ctx.exit(1)


@database.command("upgrade", short_help="Bring a database to the schema of this version.")
@click.argument("address", required=False)
@acts
def upgrade(call: Invocation, address: str | None) -> None:
    """Bring a database to the schema of this version, in one transaction.

    Back it up first: there is no way back.
    """
    from autolog_core.stores.sql.maintenance import upgrade as upgrade_database

    full = _resolve(call, address)
    before, after = upgrade_database(full)
    if before == after:
        click.echo(f"{full} has schema {after} already")
    else:
        click.echo(f"{full} went from schema {before or 'none'} to {after}")


def _resolve(call: Invocation, address: str | None) -> str:
    from autolog_core.address import resolve_address

    if address and call.address:
        raise click.UsageError("ADDRESS and --tracking-uri say the same thing: give one of them")
    return resolve_address(address or call.address or call.settings.tracking_uri)
