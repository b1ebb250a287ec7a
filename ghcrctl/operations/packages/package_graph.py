"""Read the graph of a package: all versions, and each manifest, which is read once and cached."""

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
from ghcrctl.operations.packages.package_names import resolve_owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ghcrctl.errors import GhcrctlError
    from ghcrctl.github.manifest_facts import Facts
    from ghcrctl.github.records import Version
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_names import PackageName

# Manifests are cached in batches: an interruption loses at most one batch.
_BATCH = 200
_FILE = "manifests.sqlite"


class Progress(Protocol):
    """Receives the progress of a long operation."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Report progress. ``what``: the counted items, for display."""
        ...


def no_progress(what: str, done: int, total: int) -> None:
    """Ignore progress."""


def load_graph(session: Session, named: PackageName, progress: Progress = no_progress) -> Graph:
    """Read all versions of a package and their manifests.

    Raises:
        PackageUnknownError: the package does not exist, or the token cannot read it.
        AuthError: the token cannot list versions or read manifests.
        NetworkError: GitHub or the registry cannot be reached; manifests read so far are cached.
    """
    packages, owner = resolve_owner(session, named)
    versions = packages.versions(
        owner,
        named.package,
        seen=lambda done, total: progress("pages of versions", done, total),
    )
    return read_graph(session, named, versions, progress)


def read_graph(
    session: Session,
    named: PackageName,
    versions: Sequence[Version],
    progress: Progress = no_progress,
) -> Graph:
    """Build the graph of listed versions by reading their manifests."""
    reader = _Reader(session, named, progress)
    facts, unreadable = reader.read([version.digest for version in versions])
    absent: set[str] = set()
    listed = {version.digest for version in versions}
    while unlisted := _unlisted(facts, listed | absent | unreadable.keys()):
        # A version may be missing from the list, or not listed yet; its children count too.
        there, missing = reader.find(unlisted)
        absent |= missing
        more, failed = reader.read(there)
        facts |= more
        unreadable |= failed
    return Graph.of(versions, facts, unreadable, absent)


def _unlisted(facts: dict[str, Facts], known: set[str]) -> list[str]:
    """Return children without a listed version that were not looked up yet."""
    children = {child.digest for entry in facts.values() for child in entry.children}
    return sorted(children - known - facts.keys())


class _Reader:
    """Reads manifests from the cache or the registry."""

    def __init__(self, session: Session, named: PackageName, progress: Progress) -> None:
        self._client, self._repository = session.resolver.access(named.reference)
        self._progress = progress
        self._jobs = session.jobs
        self._cache = ManifestCache(session.settings.cache_dir / _FILE, session.warn)

    def read(self, digests: Sequence[str]) -> tuple[dict[str, Facts], dict[str, str]]:
        """Return the facts of manifests, and the errors of those that cannot be read."""
        facts: dict[str, Facts] = {}
        unreadable: dict[str, str] = {}
        kept = self._cache.get(digests)
        for digest, (raw, media_type) in kept.items():
            _add_facts(digest, raw, media_type, facts, unreadable)
        wanted = [digest for digest in dict.fromkeys(digests) if digest not in kept]
        for batch in self._fetch(wanted):
            new = []
            for digest, raw, media_type, error in batch:
                if error:
                    unreadable[digest] = str(error)
                else:
                    new.append((digest, raw, media_type))
                    _add_facts(digest, raw, media_type, facts, unreadable)
            self._cache.put(new)
        return facts, unreadable

    def find(self, digests: Sequence[str]) -> tuple[list[str], set[str]]:
        """Return which manifests the registry has, and which it does not have."""
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


def _add_facts(
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
    """Return the facts of manifests that are in the cache."""
    cache = ManifestCache(session.settings.cache_dir / _FILE, session.warn)
    facts: dict[str, Facts] = {}
    for digest, (raw, media_type) in cache.get(digests).items():
        _add_facts(digest, raw, media_type, facts, {})
    return facts


def facts_by_digest(
    session: Session, named: PackageName, digests: Sequence[str]
) -> dict[str, Facts]:
    """Return the facts of manifests that can be read."""
    return _Reader(session, named, no_progress).read(digests)[0]
