"""Descriptors: media type, digest and size of content, with optional URLs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import InvalidDigestError, InvalidManifestError
from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SIZE = 2**63 - 1
# RFC 6838, section 4.2, allows 127 characters on each side of the slash.
MAX_MEDIA_TYPE = 255
# Limit for the URLs of one descriptor, since each may have to be tried.
MAX_URLS = 100


@dataclass(frozen=True, slots=True)
class Descriptor:
    """The description of content before it is read. ``size``: bytes.

    Spec: OCI image spec 1.1, descriptor.md.
    """

    media_type: str
    digest: Digest
    size: int
    urls: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    platform: Platform | None = None
    artifact_type: str = ""

    @classmethod
    def of(cls, content: bytes, media_type: str) -> Descriptor:
        """Return the descriptor of some content."""
        return cls(media_type, Digest.of(content), len(content))

    @classmethod
    def from_json(cls, data: object) -> Descriptor:
        """Parse a descriptor of a manifest or an index.

        Raises:
            InvalidManifestError: a required field is missing, or a field has a wrong type or value.
        """
        if not isinstance(data, dict):
            raise InvalidManifestError("invalid manifest: a descriptor is not a JSON object")
        try:
            digest = Digest.parse(_text(data, "digest"))
        except InvalidDigestError as error:
            raise InvalidManifestError(f"invalid manifest: {error.message}") from None
        size = data.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MAX_SIZE:
            raise InvalidManifestError(f"invalid manifest: {digest} has an invalid size")
        return cls(
            media_type=_text(data, "mediaType"),
            digest=digest,
            size=size,
            urls=_urls(data.get("urls")),
            annotations=string_map(data.get("annotations")),
            platform=_platform(data.get("platform")),
            artifact_type=_text(data, "artifactType", required=False),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the descriptor as JSON; empty fields are omitted."""
        data: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": str(self.digest),
            "size": self.size,
        }
        if self.urls:
            data["urls"] = list(self.urls)
        if self.annotations:
            data["annotations"] = dict(self.annotations)
        if self.platform:
            data["platform"] = self.platform.to_json()
        if self.artifact_type:
            data["artifactType"] = self.artifact_type
        return data

    @property
    def is_manifest(self) -> bool:
        """Whether the content is a manifest or an index."""
        return self.media_type in media_types.MANIFESTS

    @property
    def is_index(self) -> bool:
        """Whether the content is an index or a Docker manifest list."""
        return self.media_type in media_types.INDEXES

    @property
    def is_foreign(self) -> bool:
        """Whether the content is a layer to be fetched from its publisher's ``urls``."""
        return media_types.is_foreign(self.media_type)


def _text(data: dict[str, Any], key: str, *, required: bool = True) -> str:
    value = data.get(key, "")
    if not isinstance(value, str) or len(value) > MAX_MEDIA_TYPE or (required and not value):
        raise InvalidManifestError(f"invalid manifest: a descriptor has an invalid `{key}`")
    return value


def _platform(value: object) -> Platform | None:
    """Parse a platform; Go programs write an empty one if they know none."""
    platform = Platform.from_json(value) if isinstance(value, dict) else None
    return platform if platform and (platform.os or platform.architecture) else None


def _urls(value: object) -> tuple[str, ...]:
    urls = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    if len(urls) > MAX_URLS:
        raise InvalidManifestError(
            f"invalid manifest: a descriptor has {len(urls)} URLs; at most {MAX_URLS} are allowed"
        )
    return tuple(urls)


def string_map(value: object) -> dict[str, str]:
    """Return the string members of a JSON object; other members and types are dropped."""
    if not isinstance(value, dict):
        return {}
    return {k: v for k, v in value.items() if isinstance(k, str) and isinstance(v, str)}
