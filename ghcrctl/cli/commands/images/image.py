"""``ghcrctl image``: docker's names for the commands on local images."""

from __future__ import annotations

import click

from ghcrctl.cli.command_classes import LazyGroup

# Docker's names and the commands that they run.
WORDS = {
    "ls": ("images", "images.images", "List local images"),
    "pull": ("pull", "moving.pull", "Pull images from a registry"),
    "push": ("push", "moving.push", "Push images to a registry"),
    "rm": ("rmi", "images.rmi", "Remove local images"),
    "tag": ("tag", "images.tag", "Add names to a local image"),
    "inspect": ("inspect", "images.inspect", "Show details of images"),
    "history": ("history", "inside.history", "Show the history of an image"),
    "save": ("save", "archives.save", "Save images to an archive"),
    "load": ("load", "archives.load", "Load images from an archive"),
    "import": ("import", "making.import_", "Create an image from a tar archive of files"),
    "prune": ("prune", "store.prune", "Remove unused local images"),
    "build": ("build", "making.build", "Build an image from a Dockerfile"),
}
_ALIASES = {"list": "ls", "remove": "rm"}


@click.group(
    cls=LazyGroup,
    lazy={word: (module, text) for word, (_, module, text) in WORDS.items()},
    aliases={alias: WORDS[word][1:] for alias, word in _ALIASES.items()},
    short_help="Manage local images",
)
def command() -> None:
    """Manage local images with docker's command names.

    `ghcrctl image ls` runs `ghcrctl images`, `ghcrctl image rm` runs `ghcrctl rmi`, and the other
    commands have the same name without `image`.
    """
