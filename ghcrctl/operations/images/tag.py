"""Tag: give a local image further names."""

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
    """Name an image; return what the store knows of it.

    The digest that a repository knows the image by is kept within that repository; another one
    learns of the image when it is pushed there.

    Args:
        session: the run.
        source: a name, a digest or an ID.
        targets: the new names; without a tag, ``latest``.

    Raises:
        NoSuchImageError: nothing fits the source.
        UsageError: a target has a digest, or reads as one.
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
