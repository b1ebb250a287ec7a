"""Whiteouts: members that delete files of lower layers.

Spec: OCI image spec 1.1, layer.md, "Whiteouts" and "Opaque Whiteout".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import IntegrityError

if TYPE_CHECKING:
    from ghcrctl.layers.members import Member

PREFIX = ".wh."
# Names with this prefix are metadata of the AUFS file system, except the opaque whiteout.
_META_PREFIX = ".wh..wh."
_OPAQUE = ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class Whiteout:
    """A whiteout.

    Args:
        path: path of the deleted file; for an opaque whiteout, the directory.
        is_opaque: whether only the content of the directory is deleted.
    """

    path: str
    is_opaque: bool


def whiteout_of(member: Member) -> Whiteout | None:
    """Return the whiteout of a member, or ``None`` if it is another kind of member.

    Raises:
        IntegrityError: the whiteout has no valid name.
    """
    folder, slash, name = member.path.rpartition("/")
    if not name.startswith(PREFIX):
        return None
    if name == _OPAQUE:
        return Whiteout(folder, is_opaque=True)
    gone = name.removeprefix(PREFIX)
    if gone in {"", ".", ".."}:
        raise IntegrityError(f"the layer has a whiteout without a name: {member.path}")
    return Whiteout(f"{folder}{slash}{gone}", is_opaque=False)


def is_aufs_metadata(member: Member) -> bool:
    """Return whether a member is metadata of AUFS, which is not part of the image."""
    if _META_PREFIX not in member.path:
        return False
    parts = member.path.split("/")
    notes = [part for part in parts if part.startswith(_META_PREFIX)]
    return bool(notes) and not (notes == [_OPAQUE] and parts[-1] == _OPAQUE)
