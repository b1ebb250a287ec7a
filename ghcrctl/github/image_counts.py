"""Counts images for `keep_last` and `floor`: an index and its tagged platforms are one image.

Release tools such as GoReleaser tag the index (``v1``) and each of its platforms (``v1-amd64``).
"""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from ghcrctl.github.graph import Graph
    from ghcrctl.github.retention_policy import Policy


def by_age(graph: Graph, policy: Policy, digests: Iterable[str]) -> list[str]:
    """Return versions sorted by age, newest first."""
    versions = (graph.versions[d] for d in digests)
    ordered = sorted(versions, key=lambda v: (policy.age_of(v), v.id), reverse=True)
    return [version.digest for version in ordered]


def tagged_by_age(graph: Graph, policy: Policy) -> list[str]:
    """Return all versions with tags from users, newest first."""
    return by_age(graph, policy, (d for d in graph.roots if graph.own_tags(d)))


def owners_among(graph: Graph, digests: Iterable[str]) -> Mapping[str, set[str]]:
    """Return the images that versions are part of, for each version that is part of one.

    A version is part of an index that lists it, directly or through other indexes, and of an image
    that it is attached to.

    Args:
        graph: the package's graph.
        digests: the versions; only these count as images.
    """
    among = set(digests)
    found = {}
    for digest in among:
        needing = (graph.all_above(digest) & among) - {digest}
        # In a cycle, which only tags can create, each version counts as its own image.
        owners = {other for other in needing if digest not in graph.all_above(other)}
        if owners:
            found[digest] = owners
    return found


def images_among(graph: Graph, digests: Sequence[str]) -> list[str]:
    """Return the versions that are not part of another one in the list, in the same order."""
    owners = owners_among(graph, digests)
    return [digest for digest in digests if digest not in owners]


def kept_last(graph: Graph, policy: Policy) -> dict[str, str]:
    """Return the versions that `keep_last` keeps, with reasons: the newest images of each group.

    Protected images count too, since they are kept. Tags do not count.
    """
    if policy.keep_last is None:
        return {}
    groups: dict[str, list[str]] = defaultdict(list)
    found: dict[str, str] = {}
    for digest in tagged_by_age(graph, policy):
        included = policy.included(graph.own_tags(digest))
        names = policy.groups(included)
        if included and not names:
            found[digest] = "its tags match no group"
        for name in names:
            groups[name].append(digest)
    for name, digests in groups.items():
        shown = f" of the group `{name.replace(chr(0), ' ')}`" if name else ""
        for digest in _newest(graph, digests, policy.keep_last):
            found[digest] = f"one of the {policy.keep_last} newest{shown}"
    return found


def _newest(graph: Graph, digests: Sequence[str], count: int) -> list[str]:
    """Return the newest images, and artifacts on older images that are equally new."""
    images = images_among(graph, digests)[:count]
    if not images:
        return []
    end = digests.index(images[-1])
    return images + [digest for digest in digests[:end] if digest in graph.subjects]


def held_by_floor(graph: Graph, policy: Policy, kept: Collection[str]) -> list[str]:
    """Return the newest images to keep in addition, to reach the minimum.

    Args:
        graph: the package's graph.
        policy: the retention policy.
        kept: the versions that are kept already.
    """
    tagged = tagged_by_age(graph, policy)
    owners = owners_among(graph, tagged)
    remaining = set(kept)
    waiting = (digest for digest in tagged if digest not in owners and digest not in kept)
    held: list[str] = []
    while more := [*islice(waiting, max(0, policy.least - _count(tagged, owners, remaining)))]:
        held += more
        remaining |= graph.closure(more)
    return held


def _count(tagged: Iterable[str], owners: Mapping[str, set[str]], remaining: set[str]) -> int:
    """Count the images that are kept; part of a deleted image counts as an image of its own."""
    return sum(
        digest in remaining and remaining.isdisjoint(owners.get(digest, ())) for digest in tagged
    )
