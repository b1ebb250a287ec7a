"""Build plans, steps and events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.transfer.events import Planned
from ghcrctl.transfer.plan import Action, Plan, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def layer(number: int, size: int = 1000, action: Action = Action.COPY) -> Step:
    """Return the step of a layer."""
    return Step(Descriptor(_LAYER, Digest.of(b"%d" % number), size), action, is_layer=True)


def planned(steps: Sequence[Step], *names: str) -> Planned:
    """Return the first event of an image with these layers."""
    root = Step(Descriptor(_MANIFEST, Digest.of(b"root"), 100), Action.COPY, level=1)
    place = MemoryPlace()
    return Planned(Plan(place, place, root.descriptor, (*steps, root), names))


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
