"""Read the manifest and config of a local or remote image for one platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.content.provenance import error_origin
from ghcrctl.content.streams import read_metadata
from ghcrctl.oci.config import ImageConfig
from ghcrctl.oci.documents import MAX_METADATA_SIZE
from ghcrctl.oci.manifest import Index, Manifest, parse, platform_not_found
from ghcrctl.operations.common.platform_check import warn_of_mismatch
from ghcrctl.store.image_facts import representative

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.platform import Platform


@dataclass(frozen=True, slots=True)
class ImageContents:
    """One image's documents.

    Args:
        root: the manifest or index that the name resolves to.
        manifest: the image for the platform; ``None`` if the root is an index without images.
        config: the image's config; ``None`` for an artifact.
    """

    root: Manifest | Index
    manifest: Manifest | None
    config: ImageConfig | None

    @property
    def size(self) -> int:
        """Stored size of the image for this platform (bytes)."""
        return self.manifest.size if self.manifest else len(self.root.raw)


def image_of(
    source: Source,
    descriptor: Descriptor,
    platform: Platform,
    *,
    exact: bool = False,
    any_config: bool = False,
    warn: Callable[[str], None] | None = None,
) -> ImageContents:
    """Read the documents of an image.

    Args:
        source: where the documents are read from.
        descriptor: a manifest or an index.
        platform: the platform to choose from an index.
        exact: whether only this platform is acceptable.
        any_config: whether an unreadable config is treated as an empty one.
        warn: prints a warning if a single-platform image is for another platform.

    Raises:
        PlatformNotFoundError: ``exact`` is set and the index has no image for the platform.
        InvalidManifestError: a document is malformed.
    """
    with error_origin(source, descriptor):
        root = parse(read_metadata(source, descriptor), descriptor.media_type)
    if isinstance(root, Manifest):
        if exact and warn:
            warn_of_mismatch(warn, source, root, (platform,))
        return ImageContents(root, root, _config(source, root, any_config=any_config))
    if exact and root.choose(platform) is None:
        raise platform_not_found(root, platform)
    manifest = representative(source, root, platform)
    config = _config(source, manifest, any_config=any_config) if manifest else None
    return ImageContents(root, manifest, config)


def _config(source: Source, manifest: Manifest, *, any_config: bool) -> ImageConfig | None:
    if not manifest.is_image:
        return None
    if any_config and manifest.config.size > MAX_METADATA_SIZE:
        return ImageConfig.parse_any(b"")
    read = ImageConfig.parse_any if any_config else ImageConfig.parse
    with error_origin(source, manifest.config):
        return read(read_metadata(source, manifest.config))


def has_label(contents: ImageContents, wanted: str) -> bool:
    """Return whether an image has a label, given as ``KEY`` or ``KEY=VALUE``."""
    key, equals, value = wanted.partition("=")
    labels = contents.config.labels if contents.config else {}
    return key in labels and (not equals or labels[key] == value)
