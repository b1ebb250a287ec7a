"""Bringing back what was deleted: versions, whole runs, packages.

What belongs here: which versions, in which order, and their tags. GitHub keeps what was deleted for
30 days. What something needs comes back before it, so that no moment shows a broken image.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.errors import (
    AuthError,
    GhcrctlError,
    NotFoundError,
    PackageUnknownError,
    UsageError,
)
from ghcrctl.github.graph import Graph
from ghcrctl.operations.packages.journal import State, journal_beside, read_journal
from ghcrctl.operations.packages.loading import cached_facts, silent
from ghcrctl.operations.packages.naming import owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from ghcrctl.github.facts import Facts
    from ghcrctl.github.records import Version
    from ghcrctl.operations.packages.loading import Progress
    from ghcrctl.operations.packages.naming import Named
    from ghcrctl.operations.session import Session


class Outcome(Enum):
    """What became of a version."""

    RESTORED = "restored"
    THERE = "is there"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Restored:
    """One version.

    Args:
        id: GitHub's number.
        digest: the manifest's.
        outcome: what became of it.
        tags: that it has again.
        moved: tags that it had and that stand for something else by now, which they are left to.
        error: why it failed.
    """

    id: int
    digest: str
    outcome: Outcome
    tags: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    error: GhcrctlError | None = None


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
    run = _Run(session, named, tell)
    facts = cached_facts(session, by_digest)
    graph = Graph.of(deleted, facts)
    order = _order(graph, graph.reach(wanted) & by_digest.keys())
    for number, digest in enumerate(order, 1):
        run.bring_back(by_digest[digest].id, digest, by_digest[digest].tags)
        progress("versions", number, len(order))
    run.bring_missing(order, by_digest)
    return run.results


def restore_run(
    session: Session,
    path: Path,
    *,
    only: Named | None = None,
    tell: Callable[[Restored], None] = lambda _: None,
    progress: Progress = silent,
) -> list[Restored]:
    """Undo a run of deletions, the last deletion first.

    Args:
        session: the run.
        path: its journal, or the plan that the journal is beside.
        only: of this package alone.
        tell: is told of each version.
        progress: is told how far it has come.

    Raises:
        NotFoundError: there is no such file.
        UsageError: the file is no journal.
        PackageUnknownError: it holds no deletion.
    """
    from ghcrctl.operations.packages.naming import read_package

    path = _journal_of(path)
    last = {(entry.package, entry.id): entry for entry in read_journal(path)}
    gone = [e for e in last.values() if e.state in {State.DELETED, State.BEGUN}]
    gone = [e for e in gone if only is None or e.package == only.name]
    if not gone:
        raise PackageUnknownError(f"{path} tells of no deletion")
    runs: dict[str, _Run] = {}
    whole = {e.package for e in gone if not e.id}
    for package in sorted(whole):
        restore_package(session, read_package(session, package))
    # What was deleted last is what others need.
    left = [entry for entry in reversed(gone) if entry.id]
    for number, entry in enumerate(left, 1):
        if entry.package not in runs:
            runs[entry.package] = _Run(session, read_package(session, entry.package), tell)
        runs[entry.package].bring_back(entry.id, entry.digest, entry.tags)
        progress("versions", number, len(left))
    return [result for run in runs.values() for result in run.results]


def _journal_of(path: Path) -> Path:
    beside = journal_beside(path)
    found = beside if path.suffix != ".journal" and beside.exists() else path
    if not found.exists():
        raise NotFoundError(f"no such file: {path}, nor a journal beside it")
    return found


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


class _Run:
    """Restores versions of one package."""

    def __init__(self, session: Session, named: Named, tell: Callable[[Restored], None]) -> None:
        self.results: list[Restored] = []
        self._session = session
        self._named = named
        self._tell = tell
        self._packages, self._owner = owner_of(session, named)
        self._client, self._repository = session.resolver.access(named.reference)

    def bring_back(self, number: int, digest: str, tags: tuple[str, ...]) -> None:
        """Restore a version, and give it the tags again that nothing else took."""
        try:
            outcome = self._restore(number)
            has, moved = self._retag(number, digest, tags)
        except AuthError:
            raise
        except GhcrctlError as error:
            self._note(Restored(number, digest, Outcome.FAILED, error=error))
            return
        self._note(Restored(number, digest, outcome, has, moved))

    def _restore(self, number: int) -> Outcome:
        try:
            self._packages.restore_version(self._owner, self._named.package, number)
        except PackageUnknownError:
            # It is there already, or it is too late.
            self._packages.version(self._owner, self._named.package, number)
            return Outcome.THERE
        return Outcome.RESTORED

    def _retag(
        self, number: int, digest: str, tags: tuple[str, ...]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        has = set(self._packages.version(self._owner, self._named.package, number).tags)
        moved = []
        for tag in sorted(set(tags) - has):
            other = self._stands_for(tag)
            if other and other != digest:
                moved.append(tag)
                continue
            found = self._client.get_manifest(self._repository, digest)
            self._client.put_manifest(self._repository, tag, found.raw, found.media_type)
            has.add(tag)
        return tuple(sorted(has)), tuple(moved)

    def _stands_for(self, tag: str) -> str:
        try:
            return self._client.find_digest(self._repository, tag)
        except NotFoundError:
            return ""

    def bring_missing(self, digests: Iterable[str], deleted: Mapping[str, Version]) -> None:
        """Restore what restored indexes lack, where their manifests could not be read before."""
        from ghcrctl.operations.packages.loading import facts_by_digest

        done = {result.digest for result in self.results}
        queue = [d for d in digests if not self._failed(d)]
        while queue:
            facts: Mapping[str, Facts] = facts_by_digest(self._session, self._named, queue)
            children = {child.digest for entry in facts.values() for child in entry.children}
            queue = sorted((children & deleted.keys()) - done)
            done |= set(queue)
            for digest in queue:
                self.bring_back(deleted[digest].id, digest, deleted[digest].tags)

    def _failed(self, digest: str) -> bool:
        return any(r.digest == digest and r.outcome is Outcome.FAILED for r in self.results)

    def _note(self, result: Restored) -> None:
        self.results.append(result)
        self._tell(result)
