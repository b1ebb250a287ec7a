"""List the tags of a repository, optionally with details of each image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ghcrctl.content.threads import thread_pool
from ghcrctl.errors import GhcrctlError, InvalidFilterError, UsageError
from ghcrctl.oci.config import parse_time
from ghcrctl.oci.manifest import Index
from ghcrctl.oci.tag_pattern import glob_matcher, in_range
from ghcrctl.oci.version import Version
from ghcrctl.operations.common.image_contents import image_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ghcrctl.content.ports import Source
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session

SORT_KEYS = ("version", "name", "created", "size")
# Sort keys that require reading each image.
DETAILED_KEYS = ("created", "size")
FILTERS = ("name", "version")
_BEGINNING = datetime.min.replace(tzinfo=timezone.utc)
_OLDEST = Version(())
# OCI distribution spec 1.1, "Referrers Tag Schema", and cosign's tags.
_HELPER = re.compile(r"sha256-[0-9a-f]{64}(\.|\Z)")


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag and the image that it points to.

    Args:
        tag: the tag.
        digest: the digest of its root; ``None`` if it was not read or cannot be read.
        created: aware UTC; ``None`` if the image has no creation time.
        size: stored size of the image for the session's platform (bytes).
        platforms: its platforms, without unknown ones.
        kind: empty for a container image, else the type of the artifact.
        error: why it cannot be read.
    """

    tag: str
    digest: Digest | None = None
    created: datetime | None = None
    size: int = 0
    platforms: tuple[Platform, ...] = ()
    kind: str = ""
    error: GhcrctlError | None = None


def is_helper(tag: str) -> bool:
    """Return whether a tag only holds signatures, attestations or a list of referrers."""
    return _HELPER.match(tag) is not None


def list_tags(
    session: Session,
    reference: Reference,
    *,
    filters: Sequence[str] = (),
    sort: str = "version",
    helpers: bool = False,
    details: bool = False,
) -> list[TagRow]:
    """List the tags of a repository.

    Args:
        session: the run.
        reference: the repository.
        filters: ``name=GLOB`` and ``version=RANGE``; multiple filters with the same key are
            alternatives.
        sort: one of `SORT_KEYS`: newest version, newest or largest first, or by name.
        helpers: whether to list tags that only hold signatures or attestations.
        details: whether to read each image; tags alone take one request per thousand.

    Raises:
        InvalidFilterError: a filter is unknown or malformed.
        UsageError: the name has a tag or digest, or the sort key is unknown.
        RefusedError: the name is local.
    """
    if reference.tag or reference.digest:
        raise UsageError(
            f"`{reference}` is an image, not a repository", hint=f"ghcrctl tags {reference.name}"
        )
    if sort not in SORT_KEYS:
        raise UsageError(f"invalid sort key `{sort}`", hint=f"use one of: {', '.join(SORT_KEYS)}")
    source = session.source(reference)
    accepts = _tag_filter(filters)
    tags = [t for t in source.tags() if (helpers or not is_helper(t)) and accepts(t)]
    if not (details or sort in DETAILED_KEYS):
        return _sorted([TagRow(tag) for tag in tags], sort)
    platform = session.settings.preferred_platform
    with thread_pool(session.jobs, "tags") as pool:
        rows = pool.map(lambda tag: _read_row(source, tag, platform), tags)
        return _sorted(list(rows), sort)


def _read_row(source: Source, tag: str, platform: Platform) -> TagRow:
    """Read a tag's image; a failure is stored in the row and does not hide other tags."""
    try:
        root = source.resolve(tag)
        contents = image_of(source, root, platform, any_config=True)
    except GhcrctlError as error:
        return TagRow(tag, error=error)
    config, manifest = contents.config, contents.manifest
    if isinstance(contents.root, Index):
        platforms = contents.root.platforms
    else:
        platforms = (config.platform,) if config else ()
    return TagRow(
        tag,
        root.digest,
        parse_time(config.created) if config else None,
        contents.size,
        tuple(platforms),
        manifest.kind if manifest and not manifest.is_image else "",
    )


def _tag_filter(filters: Iterable[str]) -> Callable[[str], bool]:
    patterns, ranges = [], []
    for item in filters:
        key, equals, value = item.partition("=")
        if not equals or key not in FILTERS:
            raise InvalidFilterError(
                f"invalid filter `{item}`: expected name=GLOB or version=RANGE",
                hint="examples: name='v1.*', version='>=1.2 <2'",
            )
        if key == "name":
            patterns.append(glob_matcher(value))
        else:
            ranges.append(in_range(value))
    groups = [group for group in (patterns, ranges) if group]
    return lambda tag: all(any(fits(tag) for fits in group) for group in groups)


def _sorted(rows: list[TagRow], sort: str) -> list[TagRow]:
    by_name = sorted(rows, key=lambda row: row.tag)
    if sort == "name":
        return by_name
    if sort == "version":
        # Tags that are not versions, such as `latest`, follow in alphabetical order.
        versions = {row.tag: Version.parse(row.tag) for row in by_name}
        words = [row for row in by_name if versions[row.tag] is None]
        rest = [row for row in by_name if versions[row.tag] is not None]
        return sorted(rest, key=lambda r: versions[r.tag] or _OLDEST, reverse=True) + words
    if sort == "size":
        return sorted(by_name, key=lambda row: row.size, reverse=True)
    return sorted(by_name, key=lambda row: row.created or _BEGINNING, reverse=True)
