"""Restoring deleted versions and packages.

What belongs here: which versions, in which order, and their tags. GitHub keeps what was deleted for
30 days. What something needs is restored before it, so that no image is broken in between. What
does not: undoing a whole run (`undo`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import PackageUnknownError, UsageError
from ghcrctl.github.graph import Graph
from ghcrctl.operations.packages.package_graph import cached_facts, silent
from ghcrctl.operations.packages.package_names import owner_of
from ghcrctl.operations.packages.undo import restore_run
from ghcrctl.operations.packages.version_restorer import Outcome, Restored, Restorer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from ghcrctl.github.records import Version
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_graph import Progress
    from ghcrctl.operations.packages.package_names import Named

__all__ = ["Choice", "Outcome", "Restored", "restore", "restore_package", "restore_run"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which deleted versions are wanted: any that one of these names."""

    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    since: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was chosen."""
        return not (self.tags or self.digests or self.ids or self.since)

    def wants(self, version: Version) -> bool:
        """Tell whether a deleted version is wanted."""
        late = self.since and version.deleted and version.deleted >= self.since
        named = version.id in self.ids or version.digest in self.digests
        return bool(late) or named or bool(set(self.tags).intersection(version.tags))


def restore_package(session: Session, named: Named) -> None:
    """Bring a whole package back.

    Raises:
        PackageUnknownError: there was none, it is too long ago, or the token may not.
        UsageError: the package is there.
    """
    packages, owner = owner_of(session, named)
    try:
        packages.get(owner, named.package)
    except PackageUnknownError:
        packages.restore(owner, named.package)
        return
    raise UsageError(
        f"{named.name} is there: say which of its versions to restore",
        hint=f"ghcrctl packages versions --state deleted {named.repository} lists those that "
        "were deleted",
    )


def restore(
    session: Session,
    named: Named,
    choice: Choice,
    *,
    tell: Callable[[Restored], None] = lambda _: None,
    progress: Progress = silent,
) -> list[Restored]:
    """Bring versions back, with what they need and what was attached to them.

    Raises:
        PackageUnknownError: nothing that was deleted fits.
    """
    packages, owner = owner_of(session, named)
    deleted = packages.versions(owner, named.package, deleted=True)
    by_digest = {version.digest: version for version in deleted}
    wanted = {version.digest for version in _newest_of_tags(deleted, choice)}
    if not wanted:
        raise PackageUnknownError(
            f"no deleted version of {named.name} fits",
            hint="GitHub keeps deleted versions for 30 days: ghcrctl packages versions --state "
            f"deleted {named.repository}",
        )
    run = Restorer(session, named, tell)
    facts = cached_facts(session, by_digest)
    graph = Graph.of(deleted, facts)
    order = _order(graph, graph.reach(wanted) & by_digest.keys())
    with run.naming_rest(by_digest[digest] for digest in order):
        for number, digest in enumerate(order, 1):
            run.bring_back(by_digest[digest].id, digest, by_digest[digest].tags)
            progress("versions", number, len(order))
    run.bring_missing(order, by_digest)
    return run.results


def _newest_of_tags(deleted: Sequence[Version], choice: Choice) -> list[Version]:
    """Return the versions that are wanted; of those with a tag that is wanted the last deleted."""
    found = []
    taken: set[str] = set()
    ordered = sorted(deleted, key=lambda v: v.deleted or v.updated, reverse=True)
    by_tag_only = Choice(choice.tags)
    for version in ordered:
        if by_tag_only.wants(version):
            tags = set(choice.tags).intersection(version.tags)
            if tags <= taken and not Choice((), choice.digests, choice.ids, choice.since).wants(
                version
            ):
                continue
            taken |= tags
        if choice.wants(version):
            found.append(version)
    return found


def _order(graph: Graph, digests: Iterable[str]) -> list[str]:
    return list(reversed(graph.deletion_order(set(digests))))
