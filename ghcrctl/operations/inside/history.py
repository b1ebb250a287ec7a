"""History: how an image came to be, newest step first, as docker shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import UnsupportedError
from ghcrctl.oci.config import parse_time
from ghcrctl.operations.common.image_contents import image_of
from ghcrctl.operations.images.inspect import place_of_image

if TYPE_CHECKING:
    from datetime import datetime

    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.inside.image_layers import Wanted


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


def history(session: Session, wanted: Wanted) -> list[HistoryRow]:
    """Return the steps of an image; of one at a registry only manifests and config are read.

    Raises:
        NotFoundError: there is no such image, or not for the platform that is asked for.
        UnsupportedError: it is no container image.
    """
    source, root = place_of_image(session, wanted.text, is_remote=wanted.is_remote)
    platform = wanted.platform or session.settings.preferred_platform
    contents = image_of(
        source, root, platform, exact=wanted.platform is not None, warn=session.warn
    )
    if contents.config is None or contents.manifest is None:
        kind = contents.manifest.kind if contents.manifest else root.media_type
        raise UnsupportedError(f"`{wanted.text}` is no container image ({kind}): it has no history")
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
