"""``ghcrctl system``: docker's names for the commands on the local store."""

from __future__ import annotations

import click

from ghcrctl.cli.command_classes import LazyGroup

WORDS = {
    "df": ("df", "store.df", "Show disk usage of the local store"),
    "info": ("info", "store.info", "Show information about ghcrctl and its store"),
    "prune": ("prune", "store.prune", "Remove unused local images"),
}


@click.group(
    cls=LazyGroup,
    lazy={word: (module, text) for word, (_, module, text) in WORDS.items()},
    short_help="Manage the local store",
)
def command() -> None:
    """Manage the local store with docker's command names.

    `ghcrctl system df` runs `ghcrctl df`, and so on.
    """
