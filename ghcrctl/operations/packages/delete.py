"""Deleting one version with what only it needs, or a package: the plan of it.

What belongs here: which version is meant. What does not: what goes with it (``github.planner``),
deleting (`apply`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import PackageUnknownError
from ghcrctl.github.planner import Target, plan_deletion, plan_whole
from ghcrctl.operations.packages.package_graph import load_graph, silent

if TYPE_CHECKING:
    from datetime import datetime

    from ghcrctl.github.graph import Graph
    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_graph import Progress
    from ghcrctl.operations.packages.package_names import Named


def plan_delete(session: Session, named: Named, now: datetime, progress: Progress = silent) -> Plan:
    """Plan what goes with a version, or with a whole package.

    Raises:
        PackageUnknownError: there is no such package, or no such version of it.
        RefusedError: something that stays needs the version.
        RetainedError: nothing tagged would be left.
    """
    graph = load_graph(session, named, progress)
    target = Target(named.registry, named.owner, named.package)
    if named.is_whole:
        return plan_whole(graph, now, target)
    return plan_deletion(graph, [find_version(graph, named)], now, target)


def find_version(graph: Graph, named: Named) -> str:
    """Return the digest of the version that a name means; tag and number must both fit.

    Raises:
        PackageUnknownError: there is none.
    """
    for digest, version in graph.versions.items():
        if (
            named.digest in {"", digest}
            and named.id in {None, version.id}
            and (not named.tag or named.tag in version.tags)
        ):
            return digest
    number = "" if named.id is None else f"#{named.id}"
    wanted = (named.tag or named.digest) + number
    raise PackageUnknownError(
        f"{named.name} has no version `{wanted}`",
        hint=f"ghcrctl packages versions {named.repository} lists them",
    )
