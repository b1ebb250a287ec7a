"""Which names a record may have: a name with a digest is a claim about content.

The list of images is a file that others may write, and archives carry names from anywhere. A name
such as ``NAME@sha256:...`` that stood for other content would make every command return false
content for a digest, so no record keeps one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import DigestMismatchError, InvalidDigestError
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.reference import check_new_name

if TYPE_CHECKING:
    from ghcrctl.oci.reference import Reference


def may_claim(name: str) -> bool:
    """Return whether a name may have a digest; quicker than reading the digest."""
    return "@" in name or name.startswith("sha")


def claimed_digest(name: str) -> Digest | None:
    """Return the digest in a name, or the one that the name reads as; ``None`` without one."""
    _, at, text = name.partition("@")
    try:
        return Digest.parse(text if at else name)
    except InvalidDigestError:
        return None


def is_true(name: str, *known: Digest | None) -> bool:
    """Return whether a name may refer to an image.

    Args:
        name: a full reference, or what another program calls it.
        known: the digests that the image is known by.
    """
    digest = claimed_digest(name)
    return digest is None or digest in known


def true_name(name: str, *known: Digest | None) -> str:
    """Return the name if it may refer to an image; otherwise return an empty name."""
    return name if is_true(name, *known) else ""


def check_name(name: str, reference: Reference | None, *known: Digest | None) -> None:
    """Check the name of a record before it is written.

    Args:
        name: the record's name.
        reference: the same as a reference, if it is one.
        known: the digests that the image is known by, its own first.

    Raises:
        DigestMismatchError: the name has the digest of other content.
        InvalidReferenceError: the name itself reads as a digest.
    """
    if not is_true(name, *known):
        raise DigestMismatchError(f"cannot name an image {name}: its digest is {known[0]}")
    if reference:
        check_new_name(reference)
