"""Show the build history of an image, newest step first, as docker does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import UnsupportedError
from ghcrctl.oci.config import parse_time
from ghcrctl.operations.common.image_contents import image_of
from ghcrctl.operations.images.inspect import locate_image

if TYPE_CHECKING:
    from datetime import datetime

    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.inside.image_layers import ImageSelector


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One step of the history.

    Args:
        image_id: the image's ID at its newest step; ``None`` elsewhere (docker's ``<missing>``).
        created: aware UTC; ``None`` if unknown.
        created_by: the build instruction.
        size: stored size of the step's layer (bytes); 0 if it created none.
        comment: the builder's comment.
    """

    image_id: Digest | None
    created: datetime | None
    created_by: str
    size: int
    comment: str


def history(session: Session, wanted: ImageSelector) -> list[HistoryRow]:
    """Return the steps of an image; at a registry, only manifests and config are read.

    Raises:
        NotFoundError: the image does not exist, or not for the selected platform.
        UnsupportedError: the image is not a container image.
    """
    source, root = locate_image(session, wanted.text, is_remote=wanted.is_remote)
    platform = wanted.platform or session.settings.preferred_platform
    contents = image_of(
        source, root, platform, exact=wanted.platform is not None, warn=session.warn
    )
    if contents.config is None or contents.manifest is None:
        kind = contents.manifest.kind if contents.manifest else root.media_type
        raise UnsupportedError(
            f"cannot show the history of `{wanted.text}`: it is not a container image ({kind})"
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
