"""History: how an image came to be, newest step first, as docker shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import UnsupportedError
from ghcrctl.oci.config import parse_time
from ghcrctl.operations.contents import image_of
from ghcrctl.operations.find import find

if TYPE_CHECKING:
    from datetime import datetime

    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One step.

    Args:
        image_id: the image's ID at its newest step; ``None`` elsewhere (docker's ``<missing>``).
        created: aware UTC; ``None`` where the image does not say.
        created_by: the build instruction.
        size: bytes of the step's layer as stored; 0 where it made none.
        comment: what the builder noted.
    """

    image_id: Digest | None
    created: datetime | None
    created_by: str
    size: int
    comment: str


def history(session: Session, text: str) -> list[HistoryRow]:
    """Return the steps of a local image.

    Raises:
        NoSuchImageError: nothing fits the text.
        UnsupportedError: it is no container image.
    """
    record = find(session, text).record
    contents = image_of(session.store.blobs, record.descriptor, session.settings.platform)
    if contents.config is None or contents.manifest is None:
        raise UnsupportedError(
            f"`{text}` is no container image ({record.facts.kind}): it has no history"
        )
    sizes = iter([layer.size for layer in contents.manifest.layers])
    rows = [
        HistoryRow(
            image_id=None,
            created=parse_time(entry.created),
            created_by=entry.created_by,
            size=0 if entry.empty_layer else next(sizes, 0),
            comment=entry.comment,
        )
        for entry in contents.config.history
    ]
    rows += [HistoryRow(None, None, "", size, "") for size in sizes]
    rows.reverse()
    return [_with_id(rows[0], contents.manifest.config.digest), *rows[1:]] if rows else []


def _with_id(row: HistoryRow, image_id: Digest) -> HistoryRow:
    return HistoryRow(image_id, row.created, row.created_by, row.size, row.comment)
