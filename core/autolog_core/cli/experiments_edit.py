"""`autolog experiments create`, `rename`, `tag`, `delete` and `restore`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from autolog_core.cli.invocation import Invocation, acts
from autolog_core.cli.pairs import describe_change, parse_pairs


@click.command("create")
@click.argument("name")
@click.option("--artifact-location", metavar="ADDRESS", help="Where its runs keep their files.")
@click.option("-t", "--tag", "tags", metavar="KEY=VALUE", multiple=True, help="A tag of it.")
@acts
def create(call: Invocation, name: str, artifact_location: str | None, tags: Sequence[str]) -> None:
    """Create an experiment and print its id; the database is made if there is none."""
    labels = parse_pairs(tags)
    store = call.store(must_exist=False)
    click.echo(store.create_experiment(name, artifact_location, labels))


@click.command("rename")
@click.argument("experiment")
@click.argument("name")
@acts
def rename(call: Invocation, experiment: str, name: str) -> None:
    """Give EXPERIMENT the name NAME."""
    from autolog_core.cli.lookup import find_experiment

    store = call.store()
    found = find_experiment(store, experiment)
    store.rename_experiment(found.experiment_id, name)
    click.echo(f"experiment {found.experiment_id} is now {name!r}", err=True)


@click.command("tag")
@click.argument("experiment")
@click.argument("pairs", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("-r", "--remove", metavar="KEY", multiple=True, help="Remove a tag.")
@acts
def tag(call: Invocation, experiment: str, pairs: Sequence[str], remove: Sequence[str]) -> None:
    """Set tags of EXPERIMENT, or remove some with --remove."""
    from autolog_core import limits
    from autolog_core.cli.lookup import find_experiment
    from autolog_core.errors import NotFound

    labels = parse_pairs(pairs)
    if not labels and not remove:
        raise click.UsageError("give KEY=VALUE or --remove KEY")
    store = call.store()
    found = find_experiment(store, experiment)
    for key, value in labels.items():
        limits.check_key(key, "tag")
        limits.check_text(value, limits.EXPERIMENT_TAG_VALUE_LENGTH, f"value of tag {key!r}")
    for key in remove:
        if key not in found.tags:
            raise NotFound(f"experiment {found.name!r} has no tag {key!r}")
    for key, value in labels.items():
        store.set_experiment_tag(found.experiment_id, key, value)
    for key in remove:
        store.delete_experiment_tag(found.experiment_id, key)
    click.echo(f"experiment {found.experiment_id} {describe_change(labels, remove)}", err=True)


@click.command("delete")
@click.argument("experiments", metavar="EXPERIMENT...", nargs=-1, required=True)
@acts
def delete(call: Invocation, experiments: Sequence[str]) -> None:
    """Put experiments away, with their runs; `autolog experiments restore` brings them back."""
    from autolog_core.cli.lookup import find_experiment
    from autolog_core.cli.render.text import plain

    store = call.store()
    for found in [find_experiment(store, word) for word in experiments]:
        store.delete_experiment(found.experiment_id)
        click.echo(f"experiment {found.experiment_id} ({plain(found.name)}) is deleted", err=True)


@click.command("restore")
@click.argument("experiments", metavar="EXPERIMENT...", nargs=-1, required=True)
@acts
def restore(call: Invocation, experiments: Sequence[str]) -> None:
    """Bring deleted experiments back, with the runs that were deleted with them."""
    from autolog_core.cli.lookup import find_experiment
    from autolog_core.cli.render.text import plain

    store = call.store()
    for found in [find_experiment(store, word) for word in experiments]:
        store.restore_experiment(found.experiment_id)
        click.echo(f"experiment {found.experiment_id} ({plain(found.name)}) is back", err=True)
