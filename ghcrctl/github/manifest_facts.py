"""What a manifest says that decides what it needs and how large it is.

What belongs here: from the raw bytes to these few facts; a package may have a hundred thousand
manifests, and their facts are all in memory at once. What does not: what manifests mean to each
other (``graph``).

Digests are texts here: they are compared with those of GitHub's API, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghcrctl.oci.manifest import Index, Manifest, parse
from ghcrctl.oci.media_types import is_image_layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.oci.descriptor import Descriptor

_ATTESTED = "vnd.docker.reference.digest"
_CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0"


@dataclass(frozen=True, slots=True)
class Child:
    """An entry of an index.

    Args:
        digest: what it lists.
        platform: for which platform; empty where that is not said, or unknown.
        attests: the digest of the image that it attests, as buildx notes it.
        is_index: whether it is announced as an index.
        artifact_type: of the artifact that it lists; empty where the entry has none.
    """

    digest: str
    platform: str = ""
    attests: str = ""
    is_index: bool = False
    artifact_type: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one manifest says.

    Args:
        media_type: the manifest's own.
        size: bytes of the manifest.
        is_index: whether it lists manifests.
        children: the manifests that it lists.
        blobs: digest and bytes of all else that it refers to.
        subject: the digest of what it refers to; empty for none.
        kind: media type that says what an artifact is; empty for a container image and for an
            index without an artifact type.
        is_cache: whether it is a builder's cache, whose entries are no manifests.
        annotations: its own.
        config: digest of its config; empty for an index and an artifact manifest.
    """

    media_type: str
    size: int
    is_index: bool
    children: tuple[Child, ...] = ()
    blobs: tuple[tuple[str, int], ...] = ()
    subject: str = ""
    kind: str = ""
    is_cache: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    config: str = ""


def facts_of(raw: bytes, media_type: str) -> Facts:
    """Read a manifest's facts.

    Args:
        raw: the manifest, verified.
        media_type: what the registry says it is; may be empty.

    Raises:
        InvalidManifestError: it is none that can be read.
        SchemaOneError: it is Docker's schema 1.
    """
    parsed = parse(raw, media_type)
    return _of_index(parsed) if isinstance(parsed, Index) else _of_manifest(parsed)


def _of_index(index: Index) -> Facts:
    listed = [entry for entry in index.manifests if entry.is_manifest]
    others = [entry for entry in index.manifests if not entry.is_manifest]
    return Facts(
        media_type=index.descriptor.media_type,
        size=len(index.raw),
        is_index=True,
        # What is announced as something else may be a manifest all the same, of a kind to come.
        children=tuple(_child(entry) for entry in listed),
        blobs=tuple({str(d.digest): d.size for d in others}.items()),
        subject=str(index.subject.digest) if index.subject else "",
        kind=index.artifact_type,
        is_cache=bool(others),
        annotations=index.annotations,
    )


def _child(entry: Descriptor) -> Child:
    known = entry.platform and not entry.platform.is_unknown
    return Child(
        digest=str(entry.digest),
        platform=str(entry.platform) if known else "",
        attests=entry.annotations.get(_ATTESTED, ""),
        is_index=entry.is_index,
        artifact_type=entry.artifact_type,
    )


def _of_manifest(manifest: Manifest) -> Facts:
    return Facts(
        media_type=manifest.descriptor.media_type,
        size=len(manifest.raw),
        is_index=False,
        blobs=tuple({str(d.digest): d.size for d in manifest.children}.items()),
        subject=str(manifest.subject.digest) if manifest.subject else "",
        kind=_kind(manifest),
        is_cache=manifest.config.media_type == _CACHE_CONFIG,
        annotations=manifest.annotations,
        config=str(manifest.config.digest) if manifest.has_config else "",
    )


def _kind(manifest: Manifest) -> str:
    """Return the media type that says what an artifact is; empty for a container image.

    Cosign's signatures, attestations and SBOMs have the config of an image, so the layers decide
    where the config says nothing else.
    """
    if manifest.artifact_type or not manifest.is_image:
        return manifest.kind
    types = [layer.media_type for layer in manifest.layers]
    if not types or any(map(is_image_layer, types)):
        return ""
    return types[0]
