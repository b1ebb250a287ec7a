"""Whiteouts: members that say what of the lower layers is gone.

What belongs here: recognising them. What does not: what they do to a tree (`merging`).

Spec: OCI image spec 1.1, layer.md, "Whiteouts" and "Opaque Whiteout".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import IntegrityError

if TYPE_CHECKING:
    from ghcrctl.layers.members import Member

PREFIX = ".wh."
# Names with this beginning are notes of the AUFS file system; only the opaque one means something.
_META_PREFIX = ".wh..wh."
_OPAQUE = ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class Whiteout:
    """What is gone.

    Args:
        path: of what is gone; where ``is_opaque``, of the directory whose lower content is gone.
        is_opaque: whether the directory itself stays.
    """

    path: str
    is_opaque: bool


def whiteout_of(member: Member) -> Whiteout | None:
    """Return what a member says is gone, ``None`` where it is none such.

    Raises:
        IntegrityError: it names nothing that could be gone.
    """
    folder, slash, name = member.path.rpartition("/")
    if not name.startswith(PREFIX):
        return None
    if name == _OPAQUE:
        return Whiteout(folder, is_opaque=True)
    gone = name.removeprefix(PREFIX)
    if gone in {"", ".", ".."}:
        raise IntegrityError(f"the layer has a whiteout of nothing: {member.path}")
    return Whiteout(f"{folder}{slash}{gone}", is_opaque=False)


def is_note(member: Member) -> bool:
    """Tell whether a member is a note of AUFS, or below one, and so no part of the image."""
    if _META_PREFIX not in member.path:
        return False
    parts = member.path.split("/")
    notes = [part for part in parts if part.startswith(_META_PREFIX)]
    return bool(notes) and not (notes == [_OPAQUE] and parts[-1] == _OPAQUE)
