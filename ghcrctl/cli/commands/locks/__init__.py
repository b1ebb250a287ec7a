"""``ghcrctl lock``: the file that pins the names of a project."""

from __future__ import annotations

import click

from ghcrctl.cli.options import LazyGroup

COMMANDS = {
    "add": ("locks.add", "Pin names to what they stand for"),
    "update": ("locks.update", "Move pins to what their tags stand for now"),
    "check": ("locks.check", "Tell by the exit status whether all pins still hold"),
    "pull": ("locks.pull", "Bring exactly what is pinned"),
    "list": ("locks.list_", "List what is pinned"),
    "remove": ("locks.remove", "Take pins out of the file"),
}

_HELP = """Pin the image names of a project: each tag with the digest that it stands for.

The file is `images.lock` in the current directory, for version control. It has the digest of each
name and of each of its platforms, so that a change shows in a diff, and everybody who pulls by it
gets the same bytes, wherever the tags have moved since.

\b
Begin a file:                  ghcrctl lock add OWNER/IMAGE:1.0 docker.io/postgres:16
Bring what it pins:            ghcrctl lock pull
Let a job fail where a tag
has moved:                     ghcrctl lock check
See what has moved, and move:  ghcrctl lock update --dry-run
                               ghcrctl lock update
"""


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    help=_HELP,
    short_help="Pin the image names of a project in a file",
)
def command() -> None:
    """Pin the image names of a project."""
