"""Report a created image: its digest and where it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.operations.making.indexes import image_id_of

if TYPE_CHECKING:
    from ghcrctl.cli.results import Results
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.indexes import NewImage


def report_created(results: Results, session: Session, created: NewImage, *, quiet: bool) -> None:
    """Report an image or index that was created, in a registry or in the local store.

    Args:
        results: the results of the command.
        session: the session.
        created: the image.
        quiet: only print the digest.
    """
    image_id = (
        image_id_of(session, created.end, created.descriptor) if results.are_documents else None
    )
    previous = str(created.previous) if created.previous else None
    results.add_created(str(created.reference), created.descriptor, image_id, Previous=previous)
    if quiet:
        results.out(str(created.digest))
    else:
        results.out(f"Digest: {created.digest}")
        if previous:
            results.out(f"Previous digest: {previous}")
        results.out(written_to(str(created.reference), local=created.end.local))
    results.end(single=True)


def written_to(name: str, *, local: bool) -> str:
    """Return the line that says where an image was written."""
    return f"{'Stored as' if local else 'Pushed to'} {name}"
