"""A check of an image's platform against the requested one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import InvalidManifestError
from ghcrctl.oci.config import ImageConfig
from ghcrctl.oci.documents import MAX_METADATA_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ghcrctl.content.ports import Source
    from ghcrctl.oci.manifest import Manifest
    from ghcrctl.oci.platform import Platform

    Warn = Callable[[str], None]


def warn_of_mismatch(
    warn: Warn, source: Source, manifest: Manifest, wanted: Sequence[Platform]
) -> None:
    """Warn, as podman does, if an image is for none of the requested platforms.

    A single-platform image is used anyway: only an index offers a choice.

    Args:
        warn: prints a warning.
        source: the source of the image's config.
        manifest: the image.
        wanted: the requested platforms; empty if the user requested none.
    """
    if not wanted or not manifest.is_image or manifest.config.size > MAX_METADATA_SIZE:
        return
    try:
        own = ImageConfig.parse(read_metadata(source, manifest.config)).platform
    except InvalidManifestError:
        return
    is_known = own.os and own.architecture
    if is_known and all(platform.rank(own) is None for platform in wanted):
        expected = ", ".join(map(str, wanted))
        warn(f"image platform ({own}) does not match the expected platform ({expected})")
