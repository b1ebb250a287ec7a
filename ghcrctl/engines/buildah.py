"""Buildah: builds without a daemon, also in containers.

What belongs here: its command lines. Source: buildah-build(1), buildah-push(1), buildah-rmi(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.engines.build_request import Command, Private, switch, usual
from ghcrctl.engines.buildah_options import check_caching, own_words
from ghcrctl.engines.unsupported import check_format

if TYPE_CHECKING:
    from ghcrctl.engines.build_request import Order, Work


@dataclass(frozen=True, slots=True)
class Buildah:
    """The engine.

    Args:
        program: its path.
        keeps_steps: whether it keeps what steps did, for the next build.
    """

    program: str
    keeps_steps: bool = False
    name: str = "buildah"
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
                # Removing the name takes away what steps did, too.
                *(() if self._is_caching(order) else (f"--tag={work.name}",)),
                f"--iidfile={work.image_id}",
                *usual(order),
                *own_words(order),
                *switch("layers", on=bool(order.cache_from or order.cache_to)),
                *map(Private, order.more),
                order.context,
            ),
        )

    def identify(self, work: Work) -> Command | None:  # noqa: ARG002 the engines' common interface
        """Return none: the build writes it."""
        return None

    def save(self, order: Order, work: Work, image_id: str) -> Command:
        """Return the command that hands the image over."""
        target = f"oci:{work.layout}"
        if order.format == "docker":
            target = f"docker-archive:{work.archive}"
        return Command(self.program, "push", (image_id, target))

    def forget(self, order: Order, work: Work) -> Command | None:
        """Return the command that takes the image out of buildah's store.

        It is told the name and not the ID: the same image may be there under other names.
        """
        return None if self._is_caching(order) else Command(self.program, "rmi", (work.name,))

    def _is_caching(self, order: Order) -> bool:
        wanted = self.keeps_steps or bool(order.cache_from or order.cache_to)
        return wanted or bool({"--layers", "--layers=true"} & set(order.more))
