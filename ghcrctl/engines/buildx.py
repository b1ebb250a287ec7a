"""Docker's buildx: BuildKit with all it can.

What belongs here: its command lines. Source: Docker's documentation, "docker buildx build", "OCI
and Docker exporters", "Build drivers".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.engines import docker
from ghcrctl.engines.build_request import Command, Private, private, switch, usual
from ghcrctl.engines.unsupported import check_format
from ghcrctl.errors import UnsupportedError

if TYPE_CHECKING:
    from ghcrctl.engines.build_request import Order, Work


@dataclass(frozen=True, slots=True)
class Buildx:
    """The engine.

    Args:
        program: docker's client.
        has_archives: whether the builder writes archives. The one inside docker's daemon does not,
            unless docker keeps images in containerd; it leaves the image in docker's store.
    """

    program: str
    has_archives: bool = True
    name: str = "buildx"
    builds_indexes: bool = True

    def check(self, order: Order) -> None:
        """Check that the engine can do what is asked."""
        check_format(order)
        if not self.has_archives and (order.format == "oci" or len(order.platforms) > 1):
            what = "builds for one platform" if order.format != "oci" else "has no --format oci"
            raise UnsupportedError(
                f"buildx's builder inside docker's daemon {what}",
                hint="make a builder that can do more: docker buildx create --use; or choose "
                "another engine: --builder buildah",
            )

    def build(self, order: Order, work: Work) -> Command:
        """Return the command that does the build steps."""
        output: tuple[str, ...] = ("--load", f"--tag={work.name}")
        if self.has_archives:
            # Into a pipe: a client that is confined (as a snap) cannot write everywhere.
            output = (f"--output=type={order.format or 'oci'},dest=-",)
        return Command(
            self.program,
            "buildx build",
            (
                *output,
                *usual(order),
                *private("cache-from", order.cache_from),
                *private("cache-to", order.cache_to),
                *switch("pull", on=order.pull),
                *map(Private, order.more),
                order.context,
            ),
            stdout=work.archive if self.has_archives else None,
        )

    def identify(self, work: Work) -> Command | None:
        """Return the command that writes the image's ID, where docker's store has it."""
        return None if self.has_archives else docker.identify(self.program, work)

    def save(self, order: Order, work: Work, image_id: str) -> Command | None:  # noqa: ARG002 the engines' common interface
        """Return the command that hands the image over, where docker's store has it."""
        return None if self.has_archives else docker.save(self.program, work, image_id)

    def forget(self, order: Order, work: Work) -> Command | None:  # noqa: ARG002 the engines' common interface
        """Return the command that takes the image out of docker's store, if it is there."""
        return None if self.has_archives else docker.forget(self.program, work)
