"""Tags as ``KEY=VALUE`` on the command line."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import click


def parse_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Returns keys and values; a value may hold further equals signs.

    Raises:
        click.UsageError: One has no equals sign or no key.
    """
    parsed = {}
    for pair in pairs:
        key, mark, value = pair.partition("=")
        if not mark or not key:
            raise click.UsageError(f"{pair!r} is no tag: write KEY=VALUE")
        parsed[key] = value
    return parsed


def describe_change(labels: Collection[str], removed: Collection[str]) -> str:
    """Returns such as ``"has 2 tags set, 1 tag removed"``."""
    from autolog_core.cli.render.text import plural

    done = []
    if labels:
        done.append(f"{plural(len(labels), 'tag')} set")
    if removed:
        done.append(f"{plural(len(removed), 'tag')} removed")
    return "has " + ", ".join(done)
