"""Computes the facts of an image from its manifests and config, for listings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import InvalidManifestError
from ghcrctl.oci.config import ImageConfig, parse_time
from ghcrctl.oci.documents import MAX_METADATA_SIZE
from ghcrctl.oci.manifest import Index, Manifest, parse
from ghcrctl.store.records import Facts

if TYPE_CHECKING:
    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform

MAX_SEEN = 10_000
# Maximum length of a time with nanoseconds and an offset (characters).
_LONGEST_TIME = 64
_CREATED = "org.opencontainers.image.created"


def compute_facts(source: Source, root: Descriptor, prefer: Platform) -> Facts:
    """Return the facts that a listing shows for an image.

    Args:
        source: the source of the manifests and the config.
        root: the image's manifest or index.
        prefer: the platform that represents an index.
    """
    parsed = parse(read_metadata(source, root), root.media_type)
    if isinstance(parsed, Manifest):
        return manifest_facts(source, parsed)
    size = len(parsed.raw) + sum(_tree_sizes(source, parsed, {}).values())
    chosen = representative(source, parsed, prefer)
    if chosen is None:
        return Facts(root.digest, size=size, kind=parsed.artifact_type or root.media_type)
    facts = manifest_facts(source, chosen)
    return Facts(facts.image_id, facts.created, size, facts.kind)


def manifest_facts(source: Source, manifest: Manifest) -> Facts:
    """Return the facts of a single image or artifact."""
    if not manifest.is_image:
        created = manifest.annotations.get(_CREATED, "")
        return Facts(manifest.descriptor.digest, created, manifest.size, manifest.kind)
    return Facts(manifest.config.digest, _created(source, manifest.config), manifest.size)


def _created(source: Source, config: Descriptor) -> str:
    """Return the creation time of an image; empty if its config cannot be read."""
    if config.size > MAX_METADATA_SIZE:
        return ""
    created = ImageConfig.parse_any(read_metadata(source, config)).created
    return created if len(created) <= _LONGEST_TIME and parse_time(created) else ""


def representative(
    source: Source, index: Index, prefer: Platform, seen: set[Digest] | None = None
) -> Manifest | None:
    """Return the image that represents an index: the preferred platform's, else the first one.

    ``seen``: digests already visited, since nested indexes may list the same ones repeatedly.
    """
    seen = set() if seen is None else seen
    if len(seen) > MAX_SEEN:
        raise InvalidManifestError(f"the image refers to more than {MAX_SEEN} manifests")
    chosen = index.choose(prefer)
    others = (
        d for d in index.manifests if d.is_manifest and not (d.platform and d.platform.is_unknown)
    )
    for entry in (*((chosen,) if chosen else ()), *others):
        if entry.digest in seen:
            continue
        seen.add(entry.digest)
        parsed = parse(read_metadata(source, entry), entry.media_type)
        if isinstance(parsed, Index):
            parsed_child = representative(source, parsed, prefer, seen)
            if parsed_child:
                return parsed_child
        elif parsed.is_image:
            return parsed
    return None


def _tree_sizes(source: Source, index: Index, sizes: dict[str, int]) -> dict[str, int]:
    """Collect the sizes of all content below an index, each digest once."""
    for entry in index.manifests:
        if str(entry.digest) in sizes:
            continue
        sizes[str(entry.digest)] = entry.size
        if not entry.is_manifest:
            continue
        parsed = parse(read_metadata(source, entry), entry.media_type)
        if isinstance(parsed, Index):
            _tree_sizes(source, parsed, sizes)
        else:
            sizes.update((str(d.digest), d.size) for d in parsed.children)
    return sizes
