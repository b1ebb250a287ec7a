"""A comparison of two indexes: their fields and their platforms."""

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
    from ghcrctl.operations.inside.image_layers import Located, Wanted

# Docker's documentation, "Image attestation storage".
_ATTESTED = "vnd.docker.reference.digest"
_ATTESTATION_NOTES = "vnd.docker.reference."


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs. ``before``, ``after``: its value; ``None`` where it is missing."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class PlatformChange:
    """A platform that was added, was removed or has another image.

    Args:
        platform: the platform; for other entries of an index, what they are.
        before: its manifest in the one index; ``None`` where it is missing.
        after: its manifest in the other.
    """

    platform: str
    before: Digest | None
    after: Digest | None


@dataclass(frozen=True, slots=True)
class IndexComparison:
    """How two indexes differ.

    Args:
        before: the digest of the one.
        after: the digest of the other.
        fields: changes of their fields and annotations.
        platforms: changes of the platforms that they list.
        platform: one that both have, this machine's if possible.
    """

    before: Digest
    after: Digest
    fields: list[Change]
    platforms: list[PlatformChange]
    platform: Platform | None


@dataclass(frozen=True, slots=True)
class Side:
    """One of two images: where it is, and its manifest or index."""

    located: Located
    parsed: Manifest | Index

    @property
    def digest(self) -> Digest:
        """The digest of the manifest or index."""
        return self.parsed.descriptor.digest


def open_side(session: Session, wanted: Wanted) -> Side:
    """Find an image, and read its manifest or index.

    Raises:
        NotFoundError: the image does not exist.
    """
    located = locate(session, wanted)
    raw = read_metadata(located.source, located.root)
    return Side(located, parse(raw, located.root.media_type))


def compare_indexes(before: Side, after: Side, prefer: Platform) -> IndexComparison | None:
    """Compare two images with all their platforms.

    One platform that was pulled from an index represents that index, since nothing else of it is
    stored.

    Args:
        before: the one.
        after: the other.
        prefer: the platform whose images are compared further, if both have it.

    Returns:
        How they differ; ``None`` where neither is an index.
    """
    if not isinstance(before.parsed, Index) and not isinstance(after.parsed, Index):
        return None
    one, two = _known_digest(before), _known_digest(after)
    first, second = _entries(before), _entries(after)
    if (one, two) != (before.digest, after.digest):
        fields = _changed("digest", one, two)
        known = first if one != before.digest else second
        first, second = _only(first, known), _only(second, known)
    else:
        fields = list(changes(_fields(before.parsed), _fields(after.parsed)))
    common = _common(before, after, prefer)
    return IndexComparison(one, two, fields, list(_platforms(first, second)), common)


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    """Yield the fields that differ, those of the first image first."""
    for field in dict.fromkeys((*before, *after)):
        if before.get(field) != after.get(field):
            yield Change(field, before.get(field), after.get(field))


def _changed(field: str, before: object, after: object) -> list[Change]:
    return [] if before == after else [Change(field, str(before), str(after))]


def _known_digest(side: Side) -> Digest:
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
            for name, entry in _named(parsed).items()
            for key, value in entry.annotations.items()
            if not key.startswith(_ATTESTATION_NOTES)
        }
    return {name: value for name, value in fields.items() if value or name.count("annotation")}


def _entries(side: Side) -> dict[str, Descriptor]:
    """Return what an image offers, by platform."""
    if isinstance(side.parsed, Index):
        return _named(side.parsed)
    platform = _platform_of(side)
    return {str(platform) if platform else side.parsed.kind: side.parsed.descriptor}


def _named(index: Index) -> dict[str, Descriptor]:
    """Name the entries of an index by their platforms; a second one of a name is numbered."""
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


def _only(
    entries: Mapping[str, Descriptor], known: Mapping[str, Descriptor]
) -> dict[str, Descriptor]:
    return {name: entry for name, entry in entries.items() if name in known}


def _common(before: Side, after: Side, prefer: Platform) -> Platform | None:
    """Return the platform whose images are compared further."""
    offered = [prefer, *_offered(before), *_offered(after)]
    return next((one for one in offered if _has(before, one) and _has(after, one)), None)


def _offered(side: Side) -> tuple[Platform, ...]:
    if isinstance(side.parsed, Index):
        return side.parsed.platforms
    platform = _platform_of(side)
    return (platform,) if platform else ()


def _has(side: Side, platform: Platform) -> bool:
    if isinstance(side.parsed, Index):
        return any(platform.means(offered) for offered in side.parsed.platforms)
    own = _platform_of(side)
    return own is not None and platform.means(own)


def _platform_of(side: Side) -> Platform | None:
    """Return the platform of a single image."""
    manifest = side.parsed
    if not isinstance(manifest, Manifest) or not manifest.is_image:
        return None
    return ImageConfig.parse(read_metadata(side.located.source, manifest.config)).platform
