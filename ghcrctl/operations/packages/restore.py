"""Restore deleted versions and packages, which GitHub keeps for 30 days.

Content that a version needs is restored before it so that no image is ever broken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import PackageUnknownError, UsageError
from ghcrctl.github.graph import Graph
from ghcrctl.operations.packages.package_graph import cached_facts, no_progress
from ghcrctl.operations.packages.package_names import resolve_owner
from ghcrctl.operations.packages.undo import restore_run
from ghcrctl.operations.packages.version_restorer import Outcome, Restored, Restorer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from ghcrctl.github.records import Version
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_graph import Progress
    from ghcrctl.operations.packages.package_names import PackageName

__all__ = ["Outcome", "Restored", "VersionSelector", "restore", "restore_package", "restore_run"]


@dataclass(frozen=True, slots=True)
class VersionSelector:
    """Selects deleted versions: any with one of these tags, digests, numbers or times."""

    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    since: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is selected."""
        return not (self.tags or self.digests or self.ids or self.since)

    def wants(self, version: Version) -> bool:
        """Return whether a deleted version is selected."""
        late = self.since and version.deleted and version.deleted >= self.since
        named = version.id in self.ids or version.digest in self.digests
        return bool(late) or named or bool(set(self.tags).intersection(version.tags))


def restore_package(session: Session, named: PackageName) -> None:
    """Restore a whole package.

    Raises:
        PackageUnknownError: the package was not deleted within 30 days, or the token cannot restore
            it.
        UsageError: the package exists.
    """
    packages, owner = resolve_owner(session, named)
    try:
        packages.get(owner, named.package)
    except PackageUnknownError:
        packages.restore(owner, named.package)
        return
    raise UsageError(
        f"{named.name} exists: choose which of its versions to restore",
        hint=f"list deleted versions: ghcrctl packages versions --state deleted {named.repository}",
    )


def restore(
    session: Session,
    named: PackageName,
    choice: VersionSelector,
    *,
    tell: Callable[[Restored], None] = lambda _: None,
    progress: Progress = no_progress,
) -> list[Restored]:
    """Restore versions, with everything they need and what was attached to them.

    Raises:
        PackageUnknownError: no deleted version matches.
    """
    packages, owner = resolve_owner(session, named)
    deleted = packages.versions(owner, named.package, deleted=True)
    by_digest = {version.digest: version for version in deleted}
    wanted = {version.digest for version in _newest_of_tags(deleted, choice)}
    if not wanted:
        raise PackageUnknownError(
            f"no deleted version of {named.name} matches",
            hint="GitHub keeps deleted versions for 30 days: ghcrctl packages versions --state "
            f"deleted {named.repository}",
        )
    run = Restorer(session, named, tell)
    facts = cached_facts(session, by_digest)
    graph = Graph.of(deleted, facts)
    order = _order(graph, graph.reach(wanted) & by_digest.keys())
    with run.recording_rest(by_digest[digest] for digest in order):
        for number, digest in enumerate(order, 1):
            run.restore(by_digest[digest].id, digest, by_digest[digest].tags)
            progress("versions", number, len(order))
    run.restore_missing(order, by_digest)
    return run.results


def _newest_of_tags(deleted: Sequence[Version], choice: VersionSelector) -> list[Version]:
    """Return the selected versions; for a selected tag, only the most recently deleted one."""
    found = []
    taken: set[str] = set()
    ordered = sorted(deleted, key=lambda v: v.deleted or v.updated, reverse=True)
    by_tag_only = VersionSelector(choice.tags)
    for version in ordered:
        if by_tag_only.wants(version):
            tags = set(choice.tags).intersection(version.tags)
            if tags <= taken and not VersionSelector(
                (), choice.digests, choice.ids, choice.since
            ).wants(version):
                continue
            taken |= tags
        if choice.wants(version):
            found.append(version)
    return found


def _order(graph: Graph, digests: Iterable[str]) -> list[str]:
    return list(reversed(graph.deletion_order(set(digests))))
