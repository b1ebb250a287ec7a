"""``ghcrctl lock``: commands on lock files."""

from __future__ import annotations

import click

from ghcrctl.cli.command_classes import LazyGroup

COMMANDS = {
    "add": ("locks.add", "Pin names to their current digests"),
    "update": ("locks.update", "Update pins to the current digests of their tags"),
    "check": ("locks.check", "Check whether tags still match their pins"),
    "pull": ("locks.pull", "Pull pinned images"),
    "list": ("locks.list_", "List pinned images"),
    "remove": ("locks.remove", "Remove pins from the lock file"),
}

_HELP = """Pin the image names of a project to digests in a lock file.

The lock file is `images.lock` in the current directory. Commit it to version control. It records
the digest of each name and of each of its platforms, so changes appear in diffs and everyone pulls
the same bytes, even after tags have moved.

\b
Create a lock file:               ghcrctl lock add OWNER/IMAGE:1.0 docker.io/postgres:16
Pull pinned images:               ghcrctl lock pull
Fail a job if a tag has moved:    ghcrctl lock check
Preview and apply updates:        ghcrctl lock update --dry-run
                                  ghcrctl lock update
"""


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    help=_HELP,
    short_help="Pin image names to digests in a lock file",
)
def command() -> None:
    """Pin image names to digests in a lock file."""
