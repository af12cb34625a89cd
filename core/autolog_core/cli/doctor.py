"""`autolog doctor`."""

from __future__ import annotations

import click

from autolog_core.cli.invocation import Invocation, reads


@click.command("doctor")
@reads
@click.pass_context
def doctor(ctx: click.Context, call: Invocation) -> None:
    """Say what is installed, which integrations are on, where data goes, and what is wrong.

    Nothing is made or changed. Exit code 1 when there is an error that keeps runs from being
    logged.
    """
    from autolog_core.cli.health import examine
    from autolog_core.cli.render.doctor import health_sections
    from autolog_core.cli.render.page import Page
    from autolog_core.config import list_variables

    health = examine(call.address, list_variables())
    out = call.out
    if call.as_json:
        out.json(health.to_dictionary())
    else:
        page = Page(out.width if out.terminal else None, call.now, out.ascii_only, everything=True)
        for part in health_sections(health, page):
            out.text(part)
    if any(problem.severity == "error" for problem in health.problems):
        ctx.exit(1)
