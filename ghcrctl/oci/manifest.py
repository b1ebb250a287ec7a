"""Manifests and indexes: parsed views that keep the raw bytes.

``raw`` is never re-encoded: manifests are forwarded byte for byte.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import InvalidManifestError, PlatformNotFoundError, SchemaOneError
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import MAX_MEDIA_TYPE, Descriptor, string_map
from ghcrctl.oci.documents import MAX_METADATA_SIZE, load_object
from ghcrctl.oci.platform import best_match
from ghcrctl.oci.quotes import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.oci.platform import Platform

__all__ = [
    "MAX_DESCRIPTORS",
    "MAX_METADATA_SIZE",
    "Index",
    "Manifest",
    "parse",
    "parse_index",
    "platform_not_found",
]

# Limit for layers of an image or entries of an index, ten times the most seen in practice.
MAX_DESCRIPTORS = 10_000
_MAX_PLATFORMS_SHOWN = 20
_ATTESTED = "vnd.docker.reference.digest"
# Spec: OCI image spec 1.1, manifest.md, "Guidance for an Empty Descriptor".
_NO_CONFIG = Descriptor.of(b"{}", media_types.OCI_EMPTY)


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image or artifact: a config and layers, base layer first.

    An artifact manifest has blobs instead of layers and no config; `config` is then the empty one.

    Spec: OCI image spec 1.1, manifest.md; for artifact manifests OCI image spec 1.1.0-rc2,
    artifact.md.
    """

    raw: bytes = field(repr=False)
    descriptor: Descriptor
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str]
    subject: Descriptor | None = None
    artifact_type: str = ""

    @property
    def children(self) -> tuple[Descriptor, ...]:
        """The content that must exist before this manifest: the config, then the layers.

        The subject need not exist.
        """
        return (self.config, *self.layers) if self.has_config else self.layers

    @property
    def has_config(self) -> bool:
        """Whether the manifest has a config, unlike an artifact manifest."""
        return self.descriptor.media_type != media_types.OCI_ARTIFACT

    @property
    def is_image(self) -> bool:
        """Whether this is a container image, as opposed to another artifact."""
        return self.config.media_type in media_types.IMAGE_CONFIGS

    @property
    def kind(self) -> str:
        """The artifact type, or else the config's media type."""
        return self.artifact_type or self.config.media_type

    @property
    def size(self) -> int:
        """The size of the manifest and everything it lists, as stored (bytes)."""
        return len(self.raw) + sum({d.digest: d.size for d in self.children}.values())


@dataclass(frozen=True, slots=True)
class Index:
    """A list of manifests under one digest, usually one per platform.

    Spec: OCI image spec 1.1, image-index.md.
    """

    raw: bytes = field(repr=False)
    descriptor: Descriptor
    manifests: tuple[Descriptor, ...]
    annotations: Mapping[str, str]
    subject: Descriptor | None = None
    artifact_type: str = ""

    @property
    def children(self) -> tuple[Descriptor, ...]:
        """The content that must exist before this index."""
        return self.manifests

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms in order, without the ``unknown/unknown`` of attestations."""
        return tuple(d.platform for d in self.manifests if d.platform and not d.platform.is_unknown)

    def choose(self, want: Platform) -> Descriptor | None:
        """Return the entry that best matches a platform, if any.

        An entry without a platform matches every machine, with the lowest priority. Attestations
        never match.
        """
        position = best_match(want, (d.platform for d in self.manifests))
        if position is not None:
            return self.manifests[position]
        return next(filter(_may_be_image, self.manifests), None)

    def subset(self, wanted: tuple[Platform, ...]) -> Index:
        """Return a smaller index with the entries for some platforms and their attestations.

        The kept entries and all other fields are unchanged.

        Raises:
            PlatformNotFoundError: the index lacks one of the platforms.
        """
        chosen = set()
        for platform in wanted:
            entry = self.choose(platform)
            if entry is None:
                raise platform_not_found(self, platform)
            chosen.add(str(entry.digest))
        entries = json.loads(self.raw)["manifests"]
        return self._with(
            [e for e in entries if e["digest"] in chosen or _attested_by(e) in chosen]
        )

    def without(self, unwanted: tuple[Platform, ...]) -> Index:
        """Return a smaller index without the entries for some platforms and their attestations.

        Raises:
            PlatformNotFoundError: the index lacks one of the platforms.
        """
        removed: set[int] = set()
        for platform in unwanted:
            found = {
                i
                for i, d in enumerate(self.manifests)
                if d.platform and platform.selects(d.platform)
            }
            if not found:
                raise platform_not_found(self, platform)
            removed |= found
        kept = {str(d.digest) for i, d in enumerate(self.manifests) if i not in removed}
        unneeded = {str(self.manifests[i].digest) for i in removed} - kept
        entries = json.loads(self.raw)["manifests"]
        left = [
            entry
            for number, entry in enumerate(entries)
            if number not in removed and _attested_by(entry) not in unneeded
        ]
        return self._with(left)

    def _with(self, entries: list[dict[str, Any]]) -> Index:
        """Return an index with other entries; all other fields are unchanged."""
        data = {**json.loads(self.raw), "manifests": entries}
        return parse_index(json.dumps(data, indent=2).encode(), self.descriptor.media_type)


def _may_be_image(entry: Descriptor) -> bool:
    """Check whether an entry without a platform may be an image or an index of images."""
    return entry.is_manifest and entry.platform is None and _ATTESTED not in entry.annotations


def _attested_by(entry: dict[str, Any]) -> str | None:
    """Return the digest of the image that an entry attests, as annotated by buildx."""
    return string_map(entry.get("annotations")).get(_ATTESTED)


def platform_not_found(index: Index, want: Platform) -> PlatformNotFoundError:
    """Return the error for a platform that an index lacks, with the platforms it has."""
    names = list(dict.fromkeys(shortened(p.with_features) for p in index.platforms))
    hidden = max(0, len(names) - _MAX_PLATFORMS_SHOWN)
    offered = ", ".join(names[:_MAX_PLATFORMS_SHOWN]) or "none named"
    offered += f" and {hidden} more" * bool(hidden)
    return PlatformNotFoundError(
        f"no matching manifest for {want.with_features} in the index {index.descriptor.digest}",
        hint=f"choose one of these with --platform: {offered}",
    )


def parse(raw: bytes, media_type: str = "") -> Manifest | Index:
    """Parse a manifest or an index.

    Args:
        raw: the verified bytes.
        media_type: the media type from the descriptor or ``Content-Type``; may be empty or generic.

    Raises:
        InvalidManifestError: the bytes are not a JSON object, or not one of the supported types, or
            contradict themselves.
        SchemaOneError: the manifest has Docker's schema 1.
    """
    data = load_object(raw, "manifest")
    kind = _kind(data, media_type)
    if kind in media_types.INDEXES:
        return _index(raw, kind, data)
    return _manifest(raw, kind, data)


def parse_index(raw: bytes, media_type: str) -> Index:
    """Parse an index; other manifests are an error."""
    parsed = parse(raw, media_type)
    if not isinstance(parsed, Index):
        raise InvalidManifestError(f"invalid index: {parsed.descriptor.digest} is not an index")
    return parsed


def _kind(data: dict[str, Any], media_type: str) -> str:
    if media_type in media_types.SCHEMA1 or data.get("schemaVersion") == 1:
        raise SchemaOneError(
            "unsupported manifest format: Docker schema 1, which registries and clients have "
            "removed",
            hint="rebuild the image, or push it again with Docker 1.10 or later",
        )
    if "manifests" in data and ("layers" in data or "config" in data):
        raise InvalidManifestError(
            "invalid manifest: it has the fields of both an index and an image"
        )
    inner = data.get("mediaType", "")
    if inner and (not isinstance(inner, str) or inner not in media_types.MANIFESTS):
        raise InvalidManifestError(f"unsupported manifest type `{shortened(str(inner))}`")
    if inner and media_type in media_types.MANIFESTS and inner != media_type:
        raise InvalidManifestError(
            f"invalid manifest: expected the media type `{media_type}`, got `{inner}`"
        )
    kind = inner or (media_type if media_type in media_types.MANIFESTS else _guess(data))
    is_artifact = kind == media_types.OCI_ARTIFACT
    if (kind in media_types.INDEXES) != ("manifests" in data) or (
        is_artifact and ("config" in data or "layers" in data)
    ):
        raise InvalidManifestError(f"invalid manifest: its fields do not match its type `{kind}`")
    return str(kind)


def _guess(data: dict[str, Any]) -> str:
    if isinstance(data.get("manifests"), list):
        return media_types.OCI_INDEX
    if isinstance(data.get("config"), dict):
        return media_types.OCI_MANIFEST
    if isinstance(data.get("blobs"), list) and data.get("artifactType"):
        return media_types.OCI_ARTIFACT
    raise InvalidManifestError("invalid manifest: neither an image nor an index")


def _manifest(raw: bytes, kind: str, data: dict[str, Any]) -> Manifest:
    is_artifact = kind == media_types.OCI_ARTIFACT
    return Manifest(
        raw=raw,
        descriptor=Descriptor.of(raw, kind),
        config=_NO_CONFIG if is_artifact else Descriptor.from_json(data.get("config")),
        layers=_descriptors(data.get("blobs" if is_artifact else "layers")),
        annotations=string_map(data.get("annotations")),
        subject=_subject(data),
        artifact_type=_artifact_type(data),
    )


def _index(raw: bytes, kind: str, data: dict[str, Any]) -> Index:
    return Index(
        raw=raw,
        descriptor=Descriptor.of(raw, kind),
        manifests=_descriptors(data.get("manifests")),
        annotations=string_map(data.get("annotations")),
        subject=_subject(data),
        artifact_type=_artifact_type(data),
    )


def _descriptors(value: object) -> tuple[Descriptor, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise InvalidManifestError("invalid manifest: a field for descriptors is not a list")
    if len(value) > MAX_DESCRIPTORS:
        raise InvalidManifestError(
            f"invalid manifest: it lists {len(value)} descriptors; at most {MAX_DESCRIPTORS} are "
            "allowed"
        )
    return tuple(Descriptor.from_json(item) for item in value)


def _subject(data: dict[str, Any]) -> Descriptor | None:
    return Descriptor.from_json(data["subject"]) if data.get("subject") is not None else None


def _artifact_type(data: dict[str, Any]) -> str:
    value = data.get("artifactType", "")
    return value if isinstance(value, str) and len(value) <= MAX_MEDIA_TYPE else ""
