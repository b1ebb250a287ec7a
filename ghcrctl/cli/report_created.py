"""The report of an image that was made: its digest and where it was written, or a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.operations.making.indexes import image_id_of

if TYPE_CHECKING:
    from ghcrctl.cli.results import Results
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.indexes import NewImage


def report_made(results: Results, session: Session, made: NewImage, *, quiet: bool) -> None:
    """Report an image or an index that was made, at a registry or in the local store.

    Args:
        results: where it is reported.
        session: the run.
        made: the image.
        quiet: only print the digest.
    """
    image_id = image_id_of(session, made.end, made.descriptor) if results.are_documents else None
    previous = str(made.previous) if made.previous else None
    results.made(str(made.reference), made.descriptor, image_id, Previous=previous)
    if quiet:
        results.out(str(made.digest))
    else:
        results.out(f"Digest: {made.digest}")
        if previous:
            results.out(f"Previous digest: {previous}")
        results.out(written_to(str(made.reference), local=made.end.local))
    results.end(single=True)


def written_to(name: str, *, local: bool) -> str:
    """Return the line that says where an image was written."""
    return f"{'Stored as' if local else 'Pushed to'} {name}"
