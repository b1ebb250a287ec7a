"""Restore versions of one package with their tags."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.errors import GhcrctlError, InvalidResponseError, NotFoundError, PackageUnknownError
from ghcrctl.operations.packages.deletion_outcome import ends_run
from ghcrctl.operations.packages.package_graph import facts_by_digest
from ghcrctl.operations.packages.package_names import resolve_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ghcrctl.github.manifest_facts import Facts
    from ghcrctl.github.records import Version
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_names import PackageName


class Outcome(Enum):
    """The outcome for a version; ``planned``: not attempted before the run ended."""

    RESTORED = "restored"
    THERE = "is there"
    FAILED = "failed"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Restored:
    """The result for one version.

    Args:
        id: GitHub's number.
        digest: the digest of its manifest.
        outcome: the outcome.
        tags: its tags now.
        moved: previous tags that were not restored, since they point to another version now.
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
        tell: called with the result of each version.
    """

    def __init__(
        self, session: Session, named: PackageName, tell: Callable[[Restored], None]
    ) -> None:
        self.results: list[Restored] = []
        self._session = session
        self._named = named
        self._tell = tell
        self._packages, self._owner = resolve_owner(session, named)
        self._client, self._repository = session.resolver.access(named.reference)

    def list_versions(self) -> dict[int, Version]:
        """Return the existing versions, by number.

        Raises:
            PackageUnknownError: the package does not exist.
        """
        versions = self._packages.versions(self._owner, self._named.package)
        return {version.id: version for version in versions}

    def restore(self, number: int, digest: str, tags: tuple[str, ...]) -> Restored:
        """Restore a version, with those of its tags that no other version has.

        Raises:
            AuthError: GitHub rejects the token.
            NetworkError: GitHub cannot be reached, or its rate limit lasts too long.
        """
        return self._try(number, digest, lambda: self._restore(number, digest, tags))

    def keep(self, version: Version, outcome: Outcome, tags: tuple[str, ...]) -> Restored:
        """Restore the tags of an existing version that no other version has.

        Raises:
            AuthError: GitHub rejects the token.
            NetworkError: GitHub cannot be reached, or its rate limit lasts too long.
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
            # It exists already, or the 30 days are over.
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
        """Add tags to a version; return its tags, and those that other versions have."""
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

    def restore_missing(self, digests: Iterable[str], deleted: Mapping[str, Version]) -> None:
        """Restore manifests that restored indexes lack and that could not be read before."""
        done = {result.digest for result in self.results}
        queue = [d for d in digests if not self._failed(d)]
        while queue:
            facts: Mapping[str, Facts] = facts_by_digest(self._session, self._named, queue)
            children = {child.digest for entry in facts.values() for child in entry.children}
            queue = sorted((children & deleted.keys()) - done)
            done |= set(queue)
            with self.recording_rest(deleted[digest] for digest in queue):
                for digest in queue:
                    self.restore(deleted[digest].id, digest, deleted[digest].tags)

    def _failed(self, digest: str) -> bool:
        return any(r.digest == digest and r.outcome is Outcome.FAILED for r in self.results)

    def note(self, result: Restored) -> Restored:
        """Record the result of a version."""
        self.results.append(result)
        self._tell(result)
        return result

    @contextmanager
    def recording_rest(self, versions: Iterable[Version]) -> Iterator[None]:
        """Record which versions were not attempted if an error ends the run."""
        wanted = list(versions)
        try:
            yield
        except GhcrctlError:
            known = {result.id for result in self.results}
            for version in wanted:
                if version.id not in known:
                    self.note(Restored(version.id, version.digest, Outcome.PLANNED))
            raise
