"""Restoring versions of one package, one by one, with their tags."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.errors import GhcrctlError, InvalidResponseError, NotFoundError, PackageUnknownError
from ghcrctl.operations.packages.deletion_outcome import ends_run
from ghcrctl.operations.packages.package_graph import facts_by_digest
from ghcrctl.operations.packages.package_names import owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ghcrctl.github.manifest_facts import Facts
    from ghcrctl.github.records import Version
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_names import Named


class Outcome(Enum):
    """What became of a version; ``planned``: the run ended before its turn."""

    RESTORED = "restored"
    THERE = "is there"
    FAILED = "failed"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Restored:
    """One version.

    Args:
        id: GitHub's number.
        digest: the manifest's.
        outcome: what became of it.
        tags: that it has now.
        moved: tags that it had and that point to something else now, which keeps them.
        error: why it failed.
    """

    id: int
    digest: str
    outcome: Outcome
    tags: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    error: GhcrctlError | None = None


class Restorer:
    """Restores versions of one package.

    Args:
        session: the run.
        named: the package.
        tell: is called with what became of each version.
    """

    def __init__(self, session: Session, named: Named, tell: Callable[[Restored], None]) -> None:
        self.results: list[Restored] = []
        self._session = session
        self._named = named
        self._tell = tell
        self._packages, self._owner = owner_of(session, named)
        self._client, self._repository = session.resolver.access(named.reference)

    def present(self) -> dict[int, Version]:
        """Return the versions that are there, by number.

        Raises:
            PackageUnknownError: there is no such package.
        """
        versions = self._packages.versions(self._owner, self._named.package)
        return {version.id: version for version in versions}

    def bring_back(self, number: int, digest: str, tags: tuple[str, ...]) -> Restored:
        """Restore a version, and give it the tags again that nothing else took.

        Raises:
            AuthError: GitHub rejects the token.
            NetworkError: GitHub cannot be reached, or refuses for too long.
        """
        return self._try(number, digest, lambda: self._restore(number, digest, tags))

    def keep(self, version: Version, outcome: Outcome, tags: tuple[str, ...]) -> Restored:
        """Give a version that is there the tags again that nothing else took.

        Raises:
            AuthError: GitHub rejects the token.
            NetworkError: GitHub cannot be reached, or refuses for too long.
        """
        return self._try(
            version.id,
            version.digest,
            lambda: Restored(version.id, version.digest, outcome, *self._retag(version, tags)),
        )

    def _try(self, number: int, digest: str, act: Callable[[], Restored]) -> Restored:
        try:
            return self.note(act())
        except GhcrctlError as error:
            result = self.note(Restored(number, digest, Outcome.FAILED, error=error))
            if ends_run(error):
                raise
            return result

    def _restore(self, number: int, digest: str, tags: tuple[str, ...]) -> Restored:
        outcome = Outcome.RESTORED
        try:
            self._packages.restore_version(self._owner, self._named.package, number)
        except (PackageUnknownError, InvalidResponseError):
            # It is there already, or it is too late.
            if not self._is_there(number):
                raise
            outcome = Outcome.THERE
        version = self._packages.version(self._owner, self._named.package, number)
        return Restored(number, digest, outcome, *self._retag(version, tags))

    def _is_there(self, number: int) -> bool:
        try:
            self._packages.version(self._owner, self._named.package, number)
        except PackageUnknownError:
            return False
        return True

    def _retag(
        self, version: Version, tags: tuple[str, ...]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Add tags to a version; return those that it has now, and those that others have."""
        has = set(version.tags)
        moved = []
        for tag in sorted(set(tags) - has):
            other = self._resolve(tag)
            if other and other != version.digest:
                moved.append(tag)
                continue
            found = self._client.get_manifest(self._repository, version.digest)
            self._client.put_manifest(self._repository, tag, found.raw, found.media_type)
            has.add(tag)
        return tuple(sorted(has)), tuple(moved)

    def _resolve(self, tag: str) -> str:
        try:
            return self._client.find_digest(self._repository, tag)
        except NotFoundError:
            return ""

    def bring_missing(self, digests: Iterable[str], deleted: Mapping[str, Version]) -> None:
        """Restore what restored indexes lack, where their manifests could not be read before."""
        done = {result.digest for result in self.results}
        queue = [d for d in digests if not self._failed(d)]
        while queue:
            facts: Mapping[str, Facts] = facts_by_digest(self._session, self._named, queue)
            children = {child.digest for entry in facts.values() for child in entry.children}
            queue = sorted((children & deleted.keys()) - done)
            done |= set(queue)
            with self.naming_rest(deleted[digest] for digest in queue):
                for digest in queue:
                    self.bring_back(deleted[digest].id, digest, deleted[digest].tags)

    def _failed(self, digest: str) -> bool:
        return any(r.digest == digest and r.outcome is Outcome.FAILED for r in self.results)

    def note(self, result: Restored) -> Restored:
        """Record what became of a version."""
        self.results.append(result)
        self._tell(result)
        return result

    @contextmanager
    def naming_rest(self, versions: Iterable[Version]) -> Iterator[None]:
        """Record which versions were not attempted when an error ends the run."""
        wanted = list(versions)
        try:
            yield
        except GhcrctlError:
            known = {result.id for result in self.results}
            for version in wanted:
                if version.id not in known:
                    self.note(Restored(version.id, version.digest, Outcome.PLANNED))
            raise
