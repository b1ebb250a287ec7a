"""Podman: builds with buildah's code, on other systems in a virtual machine.

What belongs here: its command lines. Source: podman-build(1), podman-save(1), podman-rmi(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.engines.build_request import Command, Private, usual
from ghcrctl.engines.buildah_options import check_caching, own_words
from ghcrctl.engines.unsupported import check_format

if TYPE_CHECKING:
    from ghcrctl.engines.build_request import Order, Work


@dataclass(frozen=True, slots=True)
class Podman:
    """The engine. ``program``: its path."""

    program: str
    name: str = "podman"
    builds_indexes: bool = False

    def check(self, order: Order) -> None:
        """Check that the engine can do what is asked."""
        check_format(order)
        check_caching(self.name, order)

    def build(self, order: Order, work: Work) -> Command:
        """Return the command that does the build steps."""
        return Command(
            self.program,
            "build",
            (
                f"--tag={work.name}",
                f"--iidfile={work.image_id}",
                *usual(order),
                *own_words(order),
                *map(Private, order.more),
                order.context,
            ),
        )

    def identify(self, work: Work) -> Command | None:  # noqa: ARG002 the engines' common interface
        """Return none: the build writes it."""
        return None

    def save(self, order: Order, work: Work, image_id: str) -> Command:
        """Return the command that hands the image over.

        It is told the ID: by a name, the archive would have that name in it.
        """
        kind, target = "oci-dir", work.layout
        if order.format == "docker":
            kind, target = "docker-archive", work.archive
        return Command(self.program, "save", (f"--format={kind}", f"--output={target}", image_id))

    def forget(self, order: Order, work: Work) -> Command:  # noqa: ARG002 the engines' common interface
        """Return the command that takes the image out of podman's store, but not what steps did."""
        return Command(self.program, "rmi", ("--no-prune", work.name))
