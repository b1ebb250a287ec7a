"""The graph of a package: its versions and their dependencies.

Versions are linked in four ways: an index lists its children; a manifest names its subject; a tag
of cosign or of the referrers fallback (``sha256-<hex>``) names the subject, unless the manifest is
an ordinary image (``subject_tags``); buildx lists attestations as children.

Sources: OCI image spec 1.1, manifest.md and image-index.md; OCI distribution spec 1.1, "Referrers
Tag Schema"; cosign's SIGNATURE_SPEC.md.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ghcrctl.github.subject_tags import names_subject, subject_of_tag

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from ghcrctl.github.manifest_facts import Facts
    from ghcrctl.github.records import Version


@dataclass(frozen=True)
class Graph:
    """A package's versions and their dependencies.

    Args:
        versions: all versions, by digest.
        facts: the facts of all manifests that were read, by digest, including manifests in the
            registry that are not listed as versions.
        unreadable: the reason why a manifest could not be read, by digest.
        missing: manifests that others list and that the registry does not have.
        elsewhere: for subjects that this package lacks, the reason why another package may hold
            them, for messages.
        deleted: digests of versions that were deleted from a package of this run.
    """

    versions: Mapping[str, Version]
    facts: Mapping[str, Facts]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        versions: Iterable[Version],
        facts: Mapping[str, Facts],
        unreadable: Mapping[str, str] | None = None,
        missing: Iterable[str] = (),
    ) -> Graph:
        """Build a graph from the newest version of each digest."""
        ordered = sorted(versions, key=lambda v: (v.created, v.id))
        return cls({v.digest: v for v in ordered}, facts, unreadable or {}, frozenset(missing))

    def has(self, digest: str) -> bool:
        """Check whether a manifest exists."""
        return digest in self.versions or digest in self.facts

    def children(self, digest: str) -> list[str]:
        """Return the manifests that a manifest lists, including missing ones, without duplicates.

        An entry without the media type of a manifest is included if it is a version.
        """
        facts = self.facts.get(digest)
        if facts is None:
            return []
        listed = [child.digest for child in facts.children]
        listed += [blob for blob, _ in facts.blobs if blob in self.versions]
        return list(dict.fromkeys(listed))

    def missing_children(self, digest: str) -> list[str]:
        """Return the listed manifests that the registry does not have."""
        return [child for child in self.children(digest) if child in self.missing]

    @cached_property
    def parents(self) -> Mapping[str, list[str]]:
        """The indexes that list a manifest, by its digest."""
        found: dict[str, list[str]] = defaultdict(list)
        for digest in self.facts:
            for child in self.children(digest):
                if child != digest:
                    found[child].append(digest)
        return found

    @cached_property
    def subjects(self) -> Mapping[str, list[str]]:
        """The subjects of a manifest, including missing ones, by its digest."""
        found: dict[str, list[str]] = defaultdict(list)
        for digest, facts in self.facts.items():
            if facts.subject and facts.subject != digest:
                found[digest].append(facts.subject)
        for digest, version in self.versions.items():
            named = {subject for tag in version.tags if (subject := self._tied_to(digest, tag))}
            found[digest] += sorted(named - set(found[digest]))
        return {digest: subjects for digest, subjects in found.items() if subjects}

    def _tied_to(self, digest: str, tag: str) -> str:
        """Return the subject that a tag of a version ties it to.

        An image whose tag names a version of this package is not a signature, but is tied to that
        version to be safe: both are kept if either is.
        """
        subject = subject_of_tag(tag)
        is_tied = self.has(subject) and subject != digest
        return subject if is_tied else self.subject_named(digest, tag)

    @cached_property
    def attached(self) -> Mapping[str, list[str]]:
        """The manifests attached to a subject, by the subject's digest."""
        found: dict[str, list[str]] = defaultdict(list)
        for digest, subjects in self.subjects.items():
            for subject in subjects:
                found[subject].append(digest)
        return found

    def below(self, digest: str) -> list[str]:
        """Return the manifests that depend on a manifest: its children and its referrers."""
        return self.children(digest) + self.attached.get(digest, [])

    def above(self, digest: str) -> list[str]:
        """Return the existing manifests that need a manifest: its parents and subjects."""
        needing = self.parents.get(digest, []) + self.subjects.get(digest, [])
        return [other for other in needing if self.has(other)]

    def own_tags(self, digest: str) -> tuple[str, ...]:
        """Return the tags that users gave, without those that tie a version to its subject."""
        version = self.versions.get(digest)
        tags = version.tags if version else ()
        return tuple(tag for tag in tags if not self.subject_named(digest, tag))

    def subject_named(self, digest: str, tag: str) -> str:
        """Return the digest of the subject that a tag of a version names; may be empty."""
        subject = subject_of_tag(tag)
        if subject in {"", digest} or not names_subject(tag, digest, self.facts):
            return ""
        return subject

    @cached_property
    def roots(self) -> frozenset[str]:
        """The versions that users tagged, and those that no other version needs."""
        return frozenset(d for d in self.versions if self.own_tags(d) or not self.above(d))

    def is_detached(self, digest: str) -> bool:
        """Check whether a version is only attached to subjects that this package lacks."""
        subjects = self.subjects.get(digest, [])
        return bool(subjects) and not any(map(self.has, subjects)) and not self.own_tags(digest)

    def is_orphan(self, digest: str) -> bool:
        """Check whether all subjects of a version are known to have been deleted.

        A subject that no package of the run ever had is not proof, since signatures may be stored
        in another package than their image.
        """
        return self.is_detached(digest) and all(
            subject in self.deleted and subject not in self.elsewhere
            for subject in self.subjects[digest]
        )

    def detached_subjects(self) -> set[str]:
        """Return the missing subjects of versions that are attached to nothing else."""
        return {s for d in self.versions if self.is_detached(d) for s in self.subjects[d]}

    def is_ghost(self, digest: str) -> bool:
        """Check whether all children of an index are missing."""
        children = self.children(digest)
        return bool(children) and len(self.missing_children(digest)) == len(children)

    def is_partial(self, digest: str) -> bool:
        """Check whether some children of an index are missing, but not all."""
        return 0 < len(self.missing_children(digest)) < len(self.children(digest))

    def closure(self, digests: Iterable[str], *, without: Collection[str] = ()) -> set[str]:
        """Return manifests with everything they need: children, referrers and subjects.

        Args:
            digests: the manifests.
            without: manifests to exclude, together with everything that only they need.
        """
        found: set[str] = set()
        queue = list(digests)
        while queue:
            digest = queue.pop()
            if digest not in found and digest not in without:
                found.add(digest)
                queue += self.below(digest)
                queue += self.subjects.get(digest, ())
        return found

    def reach(self, digests: Iterable[str]) -> set[str]:
        """Return manifests with their children and referrers, recursively."""
        found: set[str] = set()
        queue = list(digests)
        while queue:
            digest = queue.pop()
            if digest not in found:
                found.add(digest)
                queue += self.below(digest)
        return found

    def deletion_order(self, digests: set[str]) -> list[str]:
        """Return manifests in deletion order, parents before children.

        An interruption then leaves unneeded manifests at worst, never broken images. In a cycle,
        which only tags can create, the oldest comes first.
        """
        waiting = {d: len(digests.intersection(self.above(d))) for d in digests}
        ready = sorted((d for d in digests if not waiting[d]), key=self._age, reverse=True)
        left = set(digests)
        ordered: list[str] = []
        while left:
            if not ready:
                ready = [min(self._cycle(left), key=self._age)]
            digest = ready.pop()
            left.discard(digest)
            ordered.append(digest)
            for other in dict.fromkeys(self.below(digest)):
                if other in left:
                    waiting[other] -= 1
                    if not waiting[other]:
                        ready.append(other)
        return ordered

    def _cycle(self, left: set[str]) -> set[str]:
        """Return a cycle that no other remaining manifest needs."""
        digest = min(left, key=self._age)
        needing = self.all_above(digest, left)
        while True:
            higher = (d for d in sorted(needing) if digest not in self.all_above(d, left))
            found = next(higher, None)
            if found is None:
                return needing
            digest = found
            needing = self.all_above(digest, left)

    def all_above(self, digest: str, among: Collection[str] | None = None) -> set[str]:
        """Return a manifest with all manifests that need it, directly or indirectly.

        Args:
            digest: the manifest.
            among: the manifests to search; by default, all.
        """
        found: set[str] = set()
        queue = [digest]
        while queue:
            here = queue.pop()
            if here not in found:
                found.add(here)
                queue += [d for d in self.above(here) if among is None or d in among]
        return found

    def _age(self, digest: str) -> tuple[float, int]:
        version = self.versions[digest]
        return version.created.timestamp(), version.id

    def blobs(self, digest: str) -> Sequence[tuple[str, int]]:
        """Return digests and sizes (bytes) of a manifest and its blobs."""
        facts = self.facts.get(digest)
        return ((digest, facts.size), *facts.blobs) if facts else ()

    def sizes(self, digests: Iterable[str]) -> dict[str, int]:
        """Return the sizes in bytes of manifests and their blobs, by digest."""
        return {blob: size for digest in digests for blob, size in self.blobs(digest)}
