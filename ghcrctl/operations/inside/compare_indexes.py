"""Compare the fields and platforms of two indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.oci.config import ImageConfig
from ghcrctl.oci.manifest import Index, Manifest, parse
from ghcrctl.operations.inside.image_layers import locate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.inside.image_layers import ImageSelector, LocatedImage

# Docker's documentation, "Image attestation storage".
_ATTESTED = "vnd.docker.reference.digest"
_ATTESTATION_NOTES = "vnd.docker.reference."


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that differs. ``before``, ``after``: its value; ``None`` if missing."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class PlatformChange:
    """A platform that was added or removed, or has another image.

    Args:
        platform: the platform; for entries without a platform, their type.
        before: its manifest in the first index; ``None`` if missing.
        after: its manifest in the second index; ``None`` if missing.
    """

    platform: str
    before: Digest | None
    after: Digest | None


@dataclass(frozen=True, slots=True)
class IndexComparison:
    """The differences between two indexes.

    Args:
        before: the digest of the first.
        after: the digest of the second.
        fields: changed fields and annotations.
        platforms: changed platforms.
        platform: a platform that both have, preferably this machine's.
    """

    before: Digest
    after: Digest
    fields: list[FieldChange]
    platforms: list[PlatformChange]
    platform: Platform | None


@dataclass(frozen=True, slots=True)
class ComparedImage:
    """One of two compared images: its location, and its manifest or index."""

    located: LocatedImage
    parsed: Manifest | Index

    @property
    def digest(self) -> Digest:
        """The digest of the manifest or index."""
        return self.parsed.descriptor.digest


def read_compared_image(session: Session, wanted: ImageSelector) -> ComparedImage:
    """Find an image and read its manifest or index.

    Raises:
        NotFoundError: the image does not exist.
    """
    located = locate(session, wanted)
    raw = read_metadata(located.source, located.root)
    return ComparedImage(located, parse(raw, located.root.media_type))


def compare_indexes(
    before: ComparedImage, after: ComparedImage, prefer: Platform
) -> IndexComparison | None:
    """Compare two images with all their platforms.

    A platform pulled from an index represents that index: the rest of it is not stored.

    Args:
        before: the first image.
        after: the second image.
        prefer: the platform whose images are then compared in detail, if both have it.

    Returns:
        The differences; ``None`` if neither is an index.
    """
    if not isinstance(before.parsed, Index) and not isinstance(after.parsed, Index):
        return None
    one, two = _known_digest(before), _known_digest(after)
    first, second = _entries(before), _entries(after)
    if (one, two) != (before.digest, after.digest):
        fields = _field_change("digest", one, two)
        known = first if one != before.digest else second
        first, second = _restrict(first, known), _restrict(second, known)
    else:
        fields = list(changes(_fields(before.parsed), _fields(after.parsed)))
    common = _common_platform(before, after, prefer)
    return IndexComparison(one, two, fields, list(_platforms(first, second)), common)


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[FieldChange]:
    """Yield the fields that differ, in the order of the first image."""
    for field in dict.fromkeys((*before, *after)):
        if before.get(field) != after.get(field):
            yield FieldChange(field, before.get(field), after.get(field))


def _field_change(field: str, before: object, after: object) -> list[FieldChange]:
    return [] if before == after else [FieldChange(field, str(before), str(after))]


def _known_digest(side: ComparedImage) -> Digest:
    if isinstance(side.parsed, Manifest) and side.located.origin:
        return side.located.origin
    return side.digest


def _fields(parsed: Manifest | Index) -> dict[str, str]:
    fields = {
        "digest": str(parsed.descriptor.digest),
        "media type": parsed.descriptor.media_type,
        "artifact type": parsed.artifact_type,
        "subject": str(parsed.subject.digest) if parsed.subject else "",
        **{f"annotation {key}": value for key, value in parsed.annotations.items()},
    }
    if isinstance(parsed, Index):
        fields |= {
            f"{name} annotation {key}": value
            for name, entry in _entries_by_name(parsed).items()
            for key, value in entry.annotations.items()
            if not key.startswith(_ATTESTATION_NOTES)
        }
    return {name: value for name, value in fields.items() if value or name.count("annotation")}


def _entries(side: ComparedImage) -> dict[str, Descriptor]:
    """Return the entries of an image, by platform."""
    if isinstance(side.parsed, Index):
        return _entries_by_name(side.parsed)
    platform = _platform_of(side)
    return {str(platform) if platform else side.parsed.kind: side.parsed.descriptor}


def _entries_by_name(index: Index) -> dict[str, Descriptor]:
    """Return the entries of an index by platform; number those that share one."""
    of_digest = {entry.digest: str(entry.platform) for entry in index.manifests if entry.platform}
    named: dict[str, Descriptor] = {}
    for entry in index.manifests:
        name = _name(entry, of_digest)
        number = 1
        while (shown := name if number == 1 else f"{name} ({number})") in named:
            number += 1
        named[shown] = entry
    return named


def _name(entry: Descriptor, of_digest: Mapping[Digest, str]) -> str:
    attested = entry.annotations.get(_ATTESTED)
    if attested is not None:
        known = {str(digest): name for digest, name in of_digest.items()}
        return f"attestation of {known.get(attested, attested)}"
    if entry.platform and not entry.platform.is_unknown:
        return str(entry.platform)
    return entry.artifact_type or entry.media_type


def _platforms(
    before: Mapping[str, Descriptor], after: Mapping[str, Descriptor]
) -> Iterator[PlatformChange]:
    for name in dict.fromkeys((*before, *after)):
        first, second = (side[name].digest if name in side else None for side in (before, after))
        if first != second:
            yield PlatformChange(name, first, second)


def _restrict(
    entries: Mapping[str, Descriptor], known: Mapping[str, Descriptor]
) -> dict[str, Descriptor]:
    return {name: entry for name, entry in entries.items() if name in known}


def _common_platform(
    before: ComparedImage, after: ComparedImage, prefer: Platform
) -> Platform | None:
    """Return the platform whose images are compared in detail."""
    offered = [prefer, *_offered(before), *_offered(after)]
    return next(
        (one for one in offered if _has_platform(before, one) and _has_platform(after, one)), None
    )


def _offered(side: ComparedImage) -> tuple[Platform, ...]:
    if isinstance(side.parsed, Index):
        return side.parsed.platforms
    platform = _platform_of(side)
    return (platform,) if platform else ()


def _has_platform(side: ComparedImage, platform: Platform) -> bool:
    if isinstance(side.parsed, Index):
        return any(platform.selects(offered) for offered in side.parsed.platforms)
    own = _platform_of(side)
    return own is not None and platform.selects(own)


def _platform_of(side: ComparedImage) -> Platform | None:
    """Return the platform of a single image."""
    manifest = side.parsed
    if not isinstance(manifest, Manifest) or not manifest.is_image:
        return None
    return ImageConfig.parse(read_metadata(side.located.source, manifest.config)).platform
