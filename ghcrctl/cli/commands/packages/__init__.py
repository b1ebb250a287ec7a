"""``ghcrctl packages``: commands on container packages on GitHub."""

from __future__ import annotations

import click

from ghcrctl.cli.command_classes import LazyGroup

COMMANDS = {
    "list": ("packages.list_", "List the packages of an owner"),
    "show": ("packages.show", "Show the tags and sizes of a package"),
    "versions": ("packages.versions", "List all versions of a package"),
    "prune": ("packages.prune", "Delete versions according to rules"),
    "apply": ("packages.apply", "Execute a plan saved by prune"),
    "delete": ("packages.delete", "Delete a version or a package"),
    "untag": ("packages.untag", "Remove tags without deleting images"),
    "retag": ("packages.retag", "Move or add tags without creating a new version"),
    "restore": ("packages.restore", "Restore deleted versions or packages"),
    "check": ("packages.check", "Find broken images in a package"),
    "repair": ("packages.repair", "Repair broken images in a package"),
    "doctor": ("packages.doctor", "Diagnose token and permission problems"),
}


_HELP = """Manage container packages on GitHub.

A package is OWNER/IMAGE. A version is OWNER/IMAGE:TAG, OWNER/IMAGE@DIGEST or OWNER/IMAGE#ID. Each
version is one manifest: an index with three platforms has four versions, and only one of them has a
tag. Signatures and attestations are versions too. Deleting versions by hand that look unused breaks
images. ghcrctl never deletes a version that a kept version needs.

\b
Show tags and sizes:    ghcrctl packages show OWNER/IMAGE
Preview a cleanup:      ghcrctl packages prune OWNER/IMAGE --dry-run
Save a plan, apply it:  ghcrctl packages prune OWNER/IMAGE --plan plan.json
                        ghcrctl packages apply plan.json
Undo:                   ghcrctl packages restore --run plan.json.journal
Diagnose problems:      ghcrctl packages doctor OWNER/IMAGE

Commands use the same token as pull and push. Reading takes the read:packages scope, deleting
delete:packages. `ghcrctl packages doctor` shows the token and its scopes.
"""


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    help=_HELP,
    short_help="Manage container packages on GitHub",
)
def command() -> None:
    """Manage container packages on GitHub."""
