"""Plan the deletion of a package, or of one version with everything that only it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import PackageUnknownError
from ghcrctl.github.deletion_planner import Target, plan_deletion, plan_whole
from ghcrctl.operations.packages.package_graph import load_graph, no_progress

if TYPE_CHECKING:
    from datetime import datetime

    from ghcrctl.github.graph import Graph
    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_graph import Progress
    from ghcrctl.operations.packages.package_names import PackageName


def plan_delete(
    session: Session, named: PackageName, now: datetime, progress: Progress = no_progress
) -> Plan:
    """Plan the deletion of a version, or of a whole package.

    Raises:
        PackageUnknownError: the package or the version does not exist.
        RefusedError: a version that is kept needs it.
        RetainedError: no tagged version would remain.
    """
    graph = load_graph(session, named, progress)
    target = Target(named.registry, named.owner, named.package)
    if named.is_whole:
        return plan_whole(graph, now, target)
    return plan_deletion(graph, [find_version(graph, named)], now, target)


def find_version(graph: Graph, named: PackageName) -> str:
    """Return the digest of a named version; tag and number must both match.

    Raises:
        PackageUnknownError: no version matches.
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
        hint=f"list them: ghcrctl packages versions {named.repository}",
    )
