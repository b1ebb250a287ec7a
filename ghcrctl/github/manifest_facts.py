"""The facts about a manifest that the graph needs: links, sizes and kind.

A package may have a hundred thousand manifests, whose facts are all in memory at once. Digests are
strings here, since they are only compared with those of GitHub's API.
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
        digest: the digest of the listed manifest.
        platform: its platform; empty if unknown or not stated.
        attests: the digest of the image that it attests, as annotated by buildx.
        is_index: whether it has the media type of an index.
        artifact_type: its artifact type; may be empty.
    """

    digest: str
    platform: str = ""
    attests: str = ""
    is_index: bool = False
    artifact_type: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one manifest.

    Args:
        media_type: the manifest's media type.
        size: the manifest's size (bytes).
        is_index: whether the manifest is an index.
        children: the manifests that it lists.
        blobs: digests and sizes (bytes) of all other content that it lists.
        subject: the digest of its subject; may be empty.
        kind: the media type that identifies an artifact; empty for a container image, and for an
            index without an artifact type.
        is_cache: whether it is a build cache, whose entries are not manifests.
        annotations: the manifest's annotations.
        config: the digest of its config; empty for an index or artifact manifest.
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
    """Return the facts of a manifest.

    Args:
        raw: the verified manifest.
        media_type: the media type stated by the registry; may be empty.

    Raises:
        InvalidManifestError: the manifest cannot be parsed.
        SchemaOneError: the manifest has Docker's schema 1.
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
        # An entry with another media type may still be a manifest of a future type.
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
    """Return the media type that identifies an artifact; empty for a container image.

    Cosign's signatures, attestations and SBOMs have an image config, so their layers decide unless
    the config has a type of its own.
    """
    if manifest.artifact_type or not manifest.is_image:
        return manifest.kind
    types = [layer.media_type for layer in manifest.layers]
    if not types or any(map(is_image_layer, types)):
        return ""
    return types[0]
