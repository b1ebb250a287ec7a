"""Decides which attached artifacts without a subject, such as signatures, are deleted.

A missing subject alone does not prove an orphan, since signatures may be stored in another package
than their image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.github.graph import Graph
    from ghcrctl.github.retention_policy import Policy

_MAX_SHOWN = 3
# The algorithm and twelve digits of a digest.
_SHORT = len("sha256:") + 12
_UNSEEN = "no package of this run is known to have held its subject"


def judge_detached(graph: Graph, policy: Policy, digest: str) -> tuple[bool, str]:
    """Return whether to delete an artifact whose subject the package lacks, and the reason."""
    holders = [graph.elsewhere[s] for s in graph.subjects[digest] if s in graph.elsewhere]
    if holders:
        return False, holders[0]
    is_known = graph.is_orphan(digest) or policy.orphaned_unseen
    if policy.orphaned and not is_known:
        return False, _UNSEEN
    return policy.orphaned, "its subject is missing"


def unseen_warnings(graph: Graph, kept: Mapping[str, str]) -> tuple[str, ...]:
    """Return warnings about artifacts that are kept because their subjects are unknown.

    Args:
        graph: the package's graph.
        kept: the reasons why versions are kept, by digest.
    """
    unseen = sorted(d for d, why in kept.items() if why == _UNSEEN)
    if not unseen:
        return ()
    names = dict.fromkeys(graph.subjects[digest][0][:_SHORT] for digest in unseen)
    shown = ", ".join([*names][:_MAX_SHOWN]) + " ..." * (len(names) > _MAX_SHOWN)
    return (
        f"keeping attached artifacts such as signatures ({len(unseen)}), since no package of this "
        f"run is known to have held their subjects: {shown}; prune the package that holds the "
        "images in the same run, or delete the artifacts with --orphaned-unseen",
    )
