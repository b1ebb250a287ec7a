"""Checks that a name with a digest belongs to the content of that digest.

Other programs may write the list of images, and archives contain arbitrary names. A name such as
``NAME@sha256:...`` on other content would make every command return wrong content for a digest, so
such names are ignored on reading and refused on writing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import DigestMismatchError, InvalidDigestError
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.reference import check_new_name

if TYPE_CHECKING:
    from ghcrctl.oci.reference import Reference


def may_claim(name: str) -> bool:
    """Check whether a name may contain a digest; faster than parsing it."""
    return "@" in name or name.startswith("sha")


def claimed_digest(name: str) -> Digest | None:
    """Return the digest in a name, or the name itself parsed as one; ``None`` otherwise."""
    _, at, text = name.partition("@")
    try:
        return Digest.parse(text if at else name)
    except InvalidDigestError:
        return None


def is_true(name: str, *known: Digest | None) -> bool:
    """Check whether an image may have a name.

    Args:
        name: a full reference, or a name from another program.
        known: the digests of the image.
    """
    digest = claimed_digest(name)
    return digest is None or digest in known


def true_name(name: str, *known: Digest | None) -> str:
    """Return the name if the image may have it, an empty string otherwise."""
    return name if is_true(name, *known) else ""


def check_name(name: str, reference: Reference | None, *known: Digest | None) -> None:
    """Check the name of a record before writing it.

    Args:
        name: the record's name.
        reference: the parsed name, if it is a reference.
        known: the digests of the image, its own first.

    Raises:
        DigestMismatchError: the name contains the digest of other content.
        InvalidReferenceError: the name itself parses as a digest.
    """
    if not is_true(name, *known):
        raise DigestMismatchError(f"cannot name an image {name}: its digest is {known[0]}")
    if reference:
        check_new_name(reference)
