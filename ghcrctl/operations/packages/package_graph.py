"""Getting the graph of a package: all versions, and each manifest once in a lifetime.

What belongs here: what is asked of the registry, and how much is known. What does not: what
follows from it (``github``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ghcrctl.content.threads import thread_pool
from ghcrctl.errors import (
    DigestMismatchError,
    IntegrityError,
    ManifestUnknownError,
    NotFoundError,
    UnsupportedError,
)
from ghcrctl.github.graph import Graph
from ghcrctl.github.manifest_cache import ManifestCache
from ghcrctl.github.manifest_facts import facts_of
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.packages.package_names import owner_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ghcrctl.errors import GhcrctlError
    from ghcrctl.github.manifest_facts import Facts
    from ghcrctl.github.records import Version
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_names import Named

# How many manifests are fetched before they are kept: what an interruption costs.
_BATCH = 200
_FILE = "manifests.sqlite"


class Progress(Protocol):
    """Is told how far a long act has come."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take note. ``what``: what is counted, for people."""
        ...


def silent(what: str, done: int, total: int) -> None:
    """Take no note."""


def load_graph(session: Session, named: Named, progress: Progress = silent) -> Graph:
    """Get all versions of a package, and what their manifests say.

    Raises:
        PackageUnknownError: there is no such package, or it is not shown to this token.
        AuthError: the token may not list versions, or not read manifests.
        NetworkError: GitHub or the registry could not be talked to; what was read is kept.
    """
    packages, owner = owner_of(session, named)
    versions = packages.versions(
        owner,
        named.package,
        seen=lambda done, total: progress("pages of versions", done, total),
    )
    return graph_of(session, named, versions, progress)


def graph_of(
    session: Session, named: Named, versions: Sequence[Version], progress: Progress = silent
) -> Graph:
    """Make the graph of versions that were listed, reading what their manifests say."""
    reader = _Reader(session, named, progress)
    facts, unreadable = reader.read([version.digest for version in versions])
    gone: set[str] = set()
    listed = {version.digest for version in versions}
    while unlisted := _unlisted(facts, listed | gone | unreadable.keys()):
        # It may be that its version was not listed, or not yet; then it has needs too.
        there, missing = reader.look_for(unlisted)
        gone |= missing
        more, failed = reader.read(there)
        facts |= more
        unreadable |= failed
    return Graph.of(versions, facts, unreadable, gone)


def _unlisted(facts: dict[str, Facts], known: set[str]) -> list[str]:
    """Return the children that no version was listed for, and that were not looked for yet."""
    children = {child.digest for entry in facts.values() for child in entry.children}
    return sorted(children - known - facts.keys())


class _Reader:
    """Reads manifests: from the cache, else from the registry."""

    def __init__(self, session: Session, named: Named, progress: Progress) -> None:
        self._client, self._repository = session.resolver.access(named.reference)
        self._progress = progress
        self._jobs = session.jobs
        self._cache = ManifestCache(session.settings.cache_dir / _FILE, session.warn)

    def read(self, digests: Sequence[str]) -> tuple[dict[str, Facts], dict[str, str]]:
        """Return what manifests say, and why those that cannot be read cannot."""
        facts: dict[str, Facts] = {}
        unreadable: dict[str, str] = {}
        kept = self._cache.get(digests)
        for digest, (raw, media_type) in kept.items():
            _note(digest, raw, media_type, facts, unreadable)
        wanted = [digest for digest in dict.fromkeys(digests) if digest not in kept]
        for batch in self._fetch(wanted):
            new = []
            for digest, raw, media_type, error in batch:
                if error:
                    unreadable[digest] = str(error)
                else:
                    new.append((digest, raw, media_type))
                    _note(digest, raw, media_type, facts, unreadable)
            self._cache.put(new)
        return facts, unreadable

    def look_for(self, digests: Sequence[str]) -> tuple[list[str], set[str]]:
        """Tell which manifests the registry has, and which it has not."""
        with thread_pool(self._jobs, "manifests") as pool:
            there = dict(zip(digests, pool.map(self._has, digests), strict=True))
        return [d for d in digests if there[d]], {d for d in digests if not there[d]}

    def _has(self, digest: str) -> bool:
        try:
            self._client.find_digest(self._repository, digest)
        except ManifestUnknownError:
            return False
        return True

    def _fetch(self, wanted: Sequence[str]) -> Iterator[list[_Fetched]]:
        done = 0
        with thread_pool(self._jobs, "manifests") as pool:
            for start in range(0, len(wanted), _BATCH):
                batch = list(pool.map(self._get, wanted[start : start + _BATCH]))
                done += len(batch)
                self._progress("manifests", done, len(wanted))
                yield batch

    def _get(self, digest: str) -> _Fetched:
        try:
            found = self._client.get_manifest(self._repository, digest)
            actual = str(Digest.of(found.raw, digest.partition(":")[0]))
            if actual != digest:
                raise DigestMismatchError(f"the registry sent {actual}")
        except (NotFoundError, IntegrityError) as error:
            return digest, b"", "", error
        return digest, found.raw, found.media_type, None


_Fetched = tuple[str, bytes, str, "GhcrctlError | None"]


def _note(
    digest: str,
    raw: bytes,
    media_type: str,
    facts: dict[str, Facts],
    unreadable: dict[str, str],
) -> None:
    try:
        facts[digest] = facts_of(raw, media_type)
    except (IntegrityError, UnsupportedError) as error:
        unreadable[digest] = error.message


def cached_facts(session: Session, digests: Iterable[str]) -> dict[str, Facts]:
    """Return what manifests say that were read before, of those that the cache has."""
    cache = ManifestCache(session.settings.cache_dir / _FILE, session.warn)
    facts: dict[str, Facts] = {}
    for digest, (raw, media_type) in cache.get(digests).items():
        _note(digest, raw, media_type, facts, {})
    return facts


def facts_by_digest(session: Session, named: Named, digests: Sequence[str]) -> dict[str, Facts]:
    """Return what manifests say, of those that can be read."""
    return _Reader(session, named, silent).read(digests)[0]
