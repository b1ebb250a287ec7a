"""Add names to a local image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.errors import UsageError
from ghcrctl.oci.reference import check_new_name
from ghcrctl.operations.common.find import find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.records import Record


def tag(session: Session, source: str, targets: Sequence[Reference]) -> Record:
    """Add names to an image; return its record.

    New names in the same repository keep the image's digest there. Another repository has no digest
    for the image until it is pushed there.

    Args:
        session: the run.
        source: a name, a digest or an ID.
        targets: the new names; ``latest`` is the default tag.

    Raises:
        NoSuchImageError: no image matches the source.
        UsageError: a target has a digest, or looks like one.
    """
    for target in targets:
        if target.digest:
            raise UsageError(f"refusing to create a tag with a digest reference: {target}")
        check_new_name(target)
    record = find(session, source).record
    home = record.reference
    for target in targets:
        known = home is not None and home.name == target.name
        origin = record.origin if known else None
        named = replace(record, name=str(target.tagged()), origin=origin, index=record.part_of)
        session.store.put(named)
    return record
