"""Telling of an image that was brought about: its digest and its name, or a document.

What belongs here: what all commands say that make an image. What does not: where it is said
(``results``), and what more a single command says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.operations.indexes import image_id_of

if TYPE_CHECKING:
    from ghcrctl.cli.results import Results
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.operations.indexes import End
    from ghcrctl.operations.session import Session


def report_made(
    results: Results, session: Session, end: End, made: Descriptor, *, quiet: bool
) -> None:
    """Tell of an image or an index that was made, at a registry or in the local store.

    Args:
        results: where it is told.
        session: the run.
        end: its name, and where it is.
        made: what it is.
        quiet: print the digest, no more.
    """
    image_id = image_id_of(session, end, made) if results.are_documents else None
    results.made(str(end.reference), made, image_id)
    results.out(str(made.digest) if quiet else f"Digest: {made.digest}")
    if not quiet:
        results.out(str(end.reference))
    results.end(single=True)
