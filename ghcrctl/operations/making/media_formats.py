"""Map media types between Docker's and the OCI format.

Specs: OCI image spec 1.1, media-types.md, "Compatibility Matrix"; Docker image manifest v2 schema
2, "Media Types". That page lacks Docker's uncompressed layer; see containerd's
``core/images/mediatypes.go``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.errors import UnsupportedError
from ghcrctl.layers.compression import Compression
from ghcrctl.oci import media_types

if TYPE_CHECKING:
    from ghcrctl.oci.descriptor import Descriptor


class Format(Enum):
    """The format of a manifest."""

    OCI = "oci"
    DOCKER = "docker"


@dataclass(frozen=True, slots=True)
class LayerKind:
    """The kind of a layer, as given by its media type.

    Args:
        compression: its compression.
        is_foreign: whether only its publisher may distribute it.
    """

    compression: Compression
    is_foreign: bool = False


_FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar"
_PLAIN, _GZIP, _ZSTD = (
    LayerKind(each) for each in (Compression.NONE, Compression.GZIP, Compression.ZSTD)
)
_WRITTEN = {
    Format.OCI: {
        _PLAIN: media_types.OCI_LAYER,
        _GZIP: media_types.OCI_LAYER_GZIP,
        _ZSTD: media_types.OCI_LAYER_ZSTD,
        LayerKind(Compression.NONE, is_foreign=True): _FOREIGN,
        LayerKind(Compression.GZIP, is_foreign=True): f"{_FOREIGN}+gzip",
        LayerKind(Compression.ZSTD, is_foreign=True): f"{_FOREIGN}+zstd",
    },
    Format.DOCKER: {
        _PLAIN: "application/vnd.docker.image.rootfs.diff.tar",
        _GZIP: media_types.DOCKER_LAYER_GZIP,
        LayerKind(Compression.GZIP, is_foreign=True): media_types.DOCKER_FOREIGN_LAYER,
    },
}
_READ = {
    **{name: kind for kinds in _WRITTEN.values() for kind, name in kinds.items()},
    # In use, though only containerd supports it.
    "application/vnd.docker.image.rootfs.diff.tar.zstd": _ZSTD,
}
_DOCUMENTS = {
    media_types.OCI_INDEX: media_types.DOCKER_LIST,
    media_types.OCI_MANIFEST: media_types.DOCKER_MANIFEST,
    media_types.OCI_CONFIG: media_types.DOCKER_CONFIG,
}
_TO_OCI = {docker: oci for oci, docker in _DOCUMENTS.items()}


def format_of(media_type: str) -> Format:
    """Return the format of a manifest, index or config."""
    return Format.DOCKER if media_type in _TO_OCI else Format.OCI


def document_type(media_type: str, wanted: Format) -> str:
    """Return the media type of a document in another format; unknown types are unchanged."""
    table = _DOCUMENTS if wanted is Format.DOCKER else _TO_OCI
    return table.get(media_type, media_type)


def layer_kind(media_type: str) -> LayerKind | None:
    """Return the kind of a layer; ``None`` for an unknown media type."""
    return _READ.get(media_type)


def layer_type(kind: LayerKind, wanted: Format, layer: Descriptor | None = None) -> str:
    """Return the media type of a layer.

    Args:
        kind: the kind of the layer.
        wanted: the format.
        layer: the layer, for the error.

    Raises:
        UnsupportedError: the format has no such media type.
    """
    found = _WRITTEN[wanted].get(kind)
    if found:
        return found
    packed = kind.compression.value
    which = f"the layer {layer.digest}" if layer else "the layer"
    if kind.is_foreign:
        raise UnsupportedError(
            f"{which} is foreign and compressed with {packed}, which docker's format does not "
            "support",
            hint="keep the image in OCI format",
        )
    raise UnsupportedError(
        f"{which} is compressed with {packed}, which docker's format does not support",
        hint="add --compress gzip, or convert the image to OCI format: ghcrctl convert --to oci",
    )
