"""``ghcrctl packages``: the care of packages on GitHub."""

from __future__ import annotations

import click

from ghcrctl.cli.options import LazyGroup

COMMANDS = {
    "list": ("packages.list_", "List the packages of an owner"),
    "show": ("packages.show", "Describe a package: its tags, and what they weigh"),
    "versions": ("packages.versions", "List all versions of a package, also the untagged"),
    "prune": ("packages.prune", "Delete versions by rules"),
    "apply": ("packages.apply", "Carry out a plan that prune wrote"),
    "delete": ("packages.delete", "Delete a version with what only it needs, or a package"),
    "untag": ("packages.untag", "Take tags away and leave the images"),
    "retag": ("packages.retag", "Move or add tags without making a version"),
    "restore": ("packages.restore", "Bring back what was deleted"),
    "check": ("packages.check", "Find what is broken in a package"),
    "repair": ("packages.repair", "Bring back what broken images lack"),
    "doctor": ("packages.doctor", "Explain what a token may do, and why a pull or push fails"),
}


_HELP = """Look after container packages on GitHub: see, prune, restore, untag, repair, explain.

A package is OWNER/IMAGE; one version of it is OWNER/IMAGE:TAG, OWNER/IMAGE@DIGEST or
OWNER/IMAGE#ID. Each version is one manifest: an index of three platforms is four versions, of which
one has a tag; signatures and attestations are versions too. Deleting by hand what looks unused
breaks images. What is deleted here is planned over all of that: nothing goes that a version which
stays needs.

\b
See what a package has and weighs:  ghcrctl packages show OWNER/IMAGE
See what pruning would do:          ghcrctl packages prune OWNER/IMAGE --dry-run
Review first, carry out later:      ghcrctl packages prune OWNER/IMAGE --plan plan.json
                                    ghcrctl packages apply plan.json
Undo:                               ghcrctl packages restore --run plan.json.journal
Find out why something fails:       ghcrctl packages doctor OWNER/IMAGE

The token is the one for the registry, and `ghcrctl packages doctor` tells which that is; reading
takes the scope read:packages, deleting delete:packages.
"""


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    help=_HELP,
    short_help="Look after packages on GitHub: see, prune, restore",
)
def command() -> None:
    """Look after container packages on GitHub."""
