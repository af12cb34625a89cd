"""What `autolog doctor` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from autolog_core.cli.health import Health
from autolog_core.cli.integrations import Integration
from autolog_core.cli.place import Place
from autolog_core.cli.render.page import Page, heading, pairs
from autolog_core.cli.render.tables import Cell, Column, Table, fit
from autolog_core.cli.render.text import plain, size

if TYPE_CHECKING:
    from rich.text import Text

_SEVERITY = {"error": "bold red", "warning": "yellow"}


def health_sections(health: Health, page: Page) -> Iterator[Text]:
    """Yields the parts of the report."""
    from rich.text import Text

    yield (
        Text()
        .append("Installed\n", "bold underline")
        .append_text(pairs(list(health.system.items()), page, facts=True))
    )
    if health.integrations is not None:
        yield heading("Integrations").append_text(_integrations(health.integrations, page))
    if health.place is not None:
        yield heading("Where data goes").append_text(
            pairs(list(_place(health.place)), page, facts=True)
        )
    if health.settings:
        yield heading("Settings in force").append_text(pairs(list(health.settings.items()), page))
    yield _problems(health)


def _integrations(integrations: tuple[Integration, ...], page: Page) -> Text:
    columns = (
        Column("  NAME", "name", style="cyan", least=10),
        Column("INSTALLED", "installed"),
        Column("SUPPORTED", "supported", style="dim", rank=1),
        Column("AUTOLOGGING", "autologging"),
    )
    rows = tuple(
        (
            Cell("  " + item.name),
            Cell(item.installed or "no", style="" if item.installed else "dim"),
            Cell(item.supported),
            _state(item),
        )
        for item in integrations
    )
    return fit(Table(columns, rows), page.cells, ascii_only=page.ascii_only).text


def _state(item: Integration) -> Cell:
    if not item.exists:
        return Cell("not in this version", style="dim")
    if item.installed is None:
        return Cell("-", style="dim")
    if not item.compatible:
        return Cell("version not supported", style="yellow")
    return Cell("off", style="yellow") if item.enabled is False else Cell("on", style="green")


def _place(place: Place) -> Iterator[tuple[str, str]]:
    yield "tracking", place.address
    yield "chosen by", place.source
    if place.exists:
        schema = f", schema {place.revision}" if place.revision else ""
        yield "database", f"{size(place.size)}{schema}"
    else:
        yield "database", "none yet; the first run makes it"
    yield "artifacts", place.artifact_root
    yield "writable", "yes" if place.writable else "no"
    yield "free space", f"{size(place.free)}{f' on {place.disk}' if place.disk else ''}"
    if place.journals:
        yield "journals", f"{place.journals}, of processes that log now or have died"


def _problems(health: Health) -> Text:
    if not health.problems:
        out = heading("Problems")
        return out.append("  none found\n", "green")
    out = heading("Problems", str(len(health.problems)))
    for problem in health.problems:
        out.append(f"  {problem.severity}  ", _SEVERITY[problem.severity])
        out.append(f"{plain(problem.message)}\n")
        out.append(f"  {' ' * len(problem.severity)}  {plain(problem.remedy)}\n", "cyan")
    return out
