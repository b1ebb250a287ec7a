"""Choose the requested platforms of a multi-platform image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.content.provenance import error_origin
from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import InvalidManifestError, PlatformNotFoundError, UsageError
from ghcrctl.oci.manifest import Index, Manifest, parse, platform_not_found
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.platform_check import warn_of_mismatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ghcrctl.content.memory_place import MemoryPlace
    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest

# Maximum depth of nested indexes when looking for a platform.
_MAX_NESTING = 8


@dataclass(frozen=True, slots=True)
class Selection:
    """Which platforms to use: some, all, or by default the one of this machine."""

    platforms: tuple[Platform, ...] = ()
    everything: bool = False

    @classmethod
    def of(cls, platforms: Iterable[Platform | str], *, everything: bool = False) -> Selection:
        """Build a selection.

        Args:
            platforms: the requested platforms, parsed or as text.
            everything: whether all platforms are requested.

        Raises:
            UsageError: both are given.
        """
        chosen = tuple(Platform.parse(p) if isinstance(p, str) else p for p in platforms)
        if chosen and everything:
            raise UsageError("--platform and --all-platforms are mutually exclusive")
        return cls(chosen, everything)


def choose(
    source: Source,
    root: Descriptor,
    select: Selection,
    default: Platform,
    memory: MemoryPlace,
    *,
    warn: Callable[[str], None],
) -> Descriptor:
    """Choose a manifest or index below a root; multiple platforms become a new, smaller index.

    Args:
        source: the source of the root.
        root: a manifest or an index.
        select: the requested platforms.
        default: the platform to use if none is requested.
        memory: receives the new index.
        warn: prints a warning if a single-platform image is for another platform.

    Raises:
        PlatformNotFoundError: the index has no image for a requested platform.
    """
    with error_origin(source, root):
        parsed = parse(read_metadata(source, root), root.media_type)
    if isinstance(parsed, Manifest):
        warn_of_mismatch(warn, source, parsed, select.platforms)
        return root
    if select.everything:
        return root
    if len(select.platforms) > 1:
        smaller = parsed.subset(select.platforms)
        memory.put(smaller.descriptor, smaller.raw)
        return smaller.descriptor
    platform = select.platforms[0] if select.platforms else default
    chosen = _find_platform(source, parsed, platform, 0, set())
    if chosen is None:
        raise _not_offered(parsed, platform)
    return chosen


def _find_platform(
    source: Source, index: Index, platform: Platform, depth: int, seen: set[Digest]
) -> Descriptor | None:
    """Find the image for a platform in an index and the indexes nested in it."""
    if depth > _MAX_NESTING:
        raise InvalidManifestError(f"indexes are nested more than {_MAX_NESTING} deep")
    chosen = index.choose(platform)
    if chosen and not chosen.is_index:
        return chosen
    nested = [chosen] if chosen else [d for d in index.manifests if d.is_index]
    for entry in nested:
        if entry.digest in seen:
            continue
        seen.add(entry.digest)
        inner = parse(read_metadata(source, entry), entry.media_type)
        found = (
            _find_platform(source, inner, platform, depth + 1, seen)
            if isinstance(inner, Index)
            else inner.descriptor
        )
        if found:
            return found
    return None


def _not_offered(index: Index, platform: Platform) -> PlatformNotFoundError:
    if index.platforms:
        return platform_not_found(index, platform)
    return PlatformNotFoundError(
        f"the index {index.descriptor.digest} has no image for any platform",
        hint="it may be an artifact; pull it unchanged with --all-platforms",
    )
