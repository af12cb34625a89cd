"""Reads ``KEY=VALUE`` from the command line."""

from __future__ import annotations

from collections.abc import Sequence

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
