"""Manifests and indexes: a parsed view that keeps the raw bytes.

What belongs here: reading them and telling what they refer to. `parse` is the only place that knows
their shapes.
Invariant: ``raw`` is never written anew; what came in goes out byte for byte.
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
from ghcrctl.oci.quoting import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.oci.platform import Platform

__all__ = [
    "MAX_DESCRIPTORS",
    "MAX_METADATA_SIZE",
    "Index",
    "Manifest",
    "no_platform",
    "parse",
    "parse_index",
]

# Layers of an image, or entries of an index: ten times what anybody was seen to make.
MAX_DESCRIPTORS = 10_000
_PLATFORMS_NAMED = 20
_ATTESTED = "vnd.docker.reference.digest"
# Spec: OCI image spec 1.1, manifest.md, "Guidance for an Empty Descriptor".
_NO_CONFIG = Descriptor.of(b"{}", media_types.OCI_EMPTY)


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image or artifact: a config and layers, base first.

    An artifact manifest has blobs instead of layers, and no config: `config` is the empty one then.

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
        """What must be in a place before this may be: config first, then the layers.

        The subject need not be.
        """
        return (self.config, *self.layers) if self.has_config else self.layers

    @property
    def has_config(self) -> bool:
        """Whether a config belongs to this; an artifact manifest has none."""
        return self.descriptor.media_type != media_types.OCI_ARTIFACT

    @property
    def is_image(self) -> bool:
        """Whether this is a container image, not another kind of artifact."""
        return self.config.media_type in media_types.IMAGE_CONFIGS

    @property
    def kind(self) -> str:
        """What an artifact says it is: its artifact type, else its config's media type."""
        return self.artifact_type or self.config.media_type

    @property
    def size(self) -> int:
        """Bytes of the manifest and all that it refers to, as they are stored and moved."""
        return len(self.raw) + sum({d.digest: d.size for d in self.children}.values())


@dataclass(frozen=True, slots=True)
class Index:
    """Several manifests under one digest, mostly one a platform.

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
        """What must be in a place before this may be."""
        return self.manifests

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms offered, in order; attestations' ``unknown/unknown`` left out."""
        return tuple(d.platform for d in self.manifests if d.platform and not d.platform.is_unknown)

    def choose(self, want: Platform) -> Descriptor | None:
        """Return the entry that suits a platform best, if any does.

        An entry without a platform suits every machine, after all that name one. What attests an
        image suits none.
        """
        position = best_match(want, (d.platform for d in self.manifests))
        if position is not None:
            return self.manifests[position]
        return next(filter(_may_be_image, self.manifests), None)

    def subset(self, wanted: tuple[Platform, ...]) -> Index:
        """Make a smaller index with the entries for some platforms, and what attests them.

        The kept entries and every other field stay as they are; only the list is shorter.

        Raises:
            PlatformNotFoundError: one of the platforms is not offered.
        """
        chosen = set()
        for platform in wanted:
            entry = self.choose(platform)
            if entry is None:
                raise no_platform(self, platform)
            chosen.add(str(entry.digest))
        entries = json.loads(self.raw)["manifests"]
        return self._with(
            [e for e in entries if e["digest"] in chosen or _attested_by(e) in chosen]
        )

    def without(self, unwanted: tuple[Platform, ...]) -> Index:
        """Make a smaller index without all entries for some platforms, and what attests them.

        Raises:
            PlatformNotFoundError: one of the platforms is not offered.
        """
        gone: set[int] = set()
        for platform in unwanted:
            found = {
                i for i, d in enumerate(self.manifests) if d.platform and platform.means(d.platform)
            }
            if not found:
                raise no_platform(self, platform)
            gone |= found
        kept = {str(d.digest) for i, d in enumerate(self.manifests) if i not in gone}
        unneeded = {str(self.manifests[i].digest) for i in gone} - kept
        entries = json.loads(self.raw)["manifests"]
        left = [
            entry
            for number, entry in enumerate(entries)
            if number not in gone and _attested_by(entry) not in unneeded
        ]
        return self._with(left)

    def _with(self, entries: list[dict[str, Any]]) -> Index:
        """Make an index with other entries; every other field stays as it is."""
        data = {**json.loads(self.raw), "manifests": entries}
        return parse_index(json.dumps(data, indent=2).encode(), self.descriptor.media_type)


def _may_be_image(entry: Descriptor) -> bool:
    """Return whether an entry without a platform may be an image, or an index of images."""
    return entry.is_manifest and entry.platform is None and _ATTESTED not in entry.annotations


def _attested_by(entry: dict[str, Any]) -> str | None:
    """Return the digest of the image that an entry attests, as buildx notes it."""
    return string_map(entry.get("annotations")).get(_ATTESTED)


def no_platform(index: Index, want: Platform) -> PlatformNotFoundError:
    """Word the error for a platform that an index lacks, naming those it has."""
    names = list(dict.fromkeys(shortened(p.with_features) for p in index.platforms))
    offered = ", ".join(names[:_PLATFORMS_NAMED]) or "none named"
    offered += f" and {len(names) - _PLATFORMS_NAMED} more" * (len(names) > _PLATFORMS_NAMED)
    return PlatformNotFoundError(
        f"no matching manifest for {want.with_features} in the index {index.descriptor.digest}",
        hint=f"choose one of these with --platform: {offered}",
    )


def parse(raw: bytes, media_type: str = "") -> Manifest | Index:
    """Read a manifest or an index.

    Args:
        raw: the bytes as they came; the caller has verified them.
        media_type: what the descriptor or ``Content-Type`` says; may be empty or generic.

    Raises:
        InvalidManifestError: it is no JSON object, or none of the four known kinds, or says two
            things at once.
        SchemaOneError: it is Docker's schema 1.
    """
    data = load_object(raw, "manifest")
    kind = _kind(data, media_type)
    if kind in media_types.INDEXES:
        return _index(raw, kind, data)
    return _manifest(raw, kind, data)


def parse_index(raw: bytes, media_type: str) -> Index:
    """Read an index, where nothing else will do."""
    parsed = parse(raw, media_type)
    if not isinstance(parsed, Index):
        raise InvalidManifestError(f"invalid manifest: {parsed.descriptor.digest} is no index")
    return parsed


def _kind(data: dict[str, Any], media_type: str) -> str:
    if media_type in media_types.SCHEMA1 or data.get("schemaVersion") == 1:
        raise SchemaOneError(
            "the image is in Docker's manifest format schema 1, which registries and clients "
            "have given up",
            hint="rebuild it, or push it again with a docker of version 1.10 or later",
        )
    if "manifests" in data and ("layers" in data or "config" in data):
        raise InvalidManifestError(
            "invalid manifest: it claims to be an index and an image at once"
        )
    inner = data.get("mediaType", "")
    if inner and (not isinstance(inner, str) or inner not in media_types.MANIFESTS):
        raise InvalidManifestError(f"unsupported manifest type `{shortened(str(inner))}`")
    if inner and media_type in media_types.MANIFESTS and inner != media_type:
        raise InvalidManifestError(
            f"invalid manifest: it is announced as `{media_type}` but says it is `{inner}`"
        )
    kind = inner or (media_type if media_type in media_types.MANIFESTS else _guess(data))
    is_artifact = kind == media_types.OCI_ARTIFACT
    if (kind in media_types.INDEXES) != ("manifests" in data) or (
        is_artifact and ("config" in data or "layers" in data)
    ):
        raise InvalidManifestError(f"invalid manifest: its content does not fit its type `{kind}`")
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
        raise InvalidManifestError("invalid manifest: a list of descriptors is no list")
    if len(value) > MAX_DESCRIPTORS:
        raise InvalidManifestError(
            f"invalid manifest: it lists {len(value)} pieces of content; "
            f"{MAX_DESCRIPTORS} are allowed"
        )
    return tuple(Descriptor.from_json(item) for item in value)


def _subject(data: dict[str, Any]) -> Descriptor | None:
    return Descriptor.from_json(data["subject"]) if data.get("subject") is not None else None


def _artifact_type(data: dict[str, Any]) -> str:
    value = data.get("artifactType", "")
    return value if isinstance(value, str) and len(value) <= MAX_MEDIA_TYPE else ""
