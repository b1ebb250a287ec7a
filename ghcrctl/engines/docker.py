"""Docker without buildx: what its engine builds by itself.

What belongs here: its command lines. Source: Docker's documentation, "docker buildx build", "docker
image save", "docker image rm".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.engines.build_request import Command, Private, private, switch, usual
from ghcrctl.engines.unsupported import lacks

if TYPE_CHECKING:
    from ghcrctl.engines.build_request import Order, Work


_LABEL = "docker without buildx"


@dataclass(frozen=True, slots=True)
class Docker:
    """The engine.

    Args:
        program: its client's path.
        has_buildkit: whether the client can build with BuildKit without buildx (20.10 does).
    """

    program: str
    has_buildkit: bool = False
    name: str = "docker"
    builds_indexes: bool = False

    def check(self, order: Order) -> None:
        """Check that the engine can do what is asked."""
        others = ("buildx", "buildah", "podman")
        if len(order.platforms) > 1:
            raise lacks(f"{_LABEL} builds for one platform at a time", *others)
        if order.format == "oci":
            raise lacks(f"{_LABEL} has no --format oci", *others)
        if order.cache_to:
            raise lacks(f"{_LABEL} has no --cache-to", "buildx")
        for name, values in (("--secret", order.secrets), ("--ssh", order.ssh)):
            if values and not self.has_buildkit:
                raise lacks(f"docker without BuildKit has no {name}", *others)

    def build(self, order: Order, work: Work) -> Command:
        """Return the command that does the build steps."""
        return Command(
            self.program,
            "build",
            (
                f"--tag={work.name}",
                *usual(order),
                *private("cache-from", order.cache_from),
                *switch("pull", on=order.pull),
                *map(Private, order.more),
                order.context,
            ),
            environ={"DOCKER_BUILDKIT": "1" if self.has_buildkit else "0"},
        )

    def identify(self, work: Work) -> Command:
        """Return the command that writes the image's ID."""
        return identify(self.program, work)

    def save(self, order: Order, work: Work, image_id: str) -> Command:  # noqa: ARG002 the engines' common interface
        """Return the command that hands the image over."""
        return save(self.program, work, image_id)

    def forget(self, order: Order, work: Work) -> Command:  # noqa: ARG002 the engines' common interface
        """Return the command that takes the image out of docker's store, but not what steps did."""
        return forget(self.program, work)


def identify(program: str, work: Work) -> Command:
    """Return the command that writes the ID of an image in docker's store."""
    arguments = ("--format={{.Id}}", work.name)
    return Command(program, "image inspect", arguments, stdout=work.image_id)


def save(program: str, work: Work, image_id: str) -> Command:
    """Return the command that hands over an image of docker's store.

    It goes through a pipe: a client that is confined (as a snap) cannot write everywhere. It is
    told the ID: by a name, the archive would have that name in it.
    """
    return Command(program, "image save", (image_id,), stdout=work.archive)


def forget(program: str, work: Work) -> Command:
    """Return the command that takes an image out of docker's store, but not what steps did."""
    return Command(program, "image rm", ("--no-prune", work.name))
