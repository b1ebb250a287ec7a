"""The graph of a package: its versions, and what each of them needs.

What belongs here: edges, and the questions that they answer. What does not: getting versions and
manifests (``operations``), deciding what goes (``planner``). Nothing here talks to anybody.

Four ways lead from one version to another: an index lists its children; a manifest names its
subject; cosign's and the fallback's tags (``sha256-<hex>``) name it in their stead, where the
manifest is not an ordinary image (``subject_tags``); buildx's attestations are children. Sources:
OCI image spec 1.1, manifest.md and image-index.md; OCI distribution spec 1.1, "Referrers Tag
Schema"; cosign's SIGNATURE_SPEC.md.
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
    """A package's versions and what they need.

    Args:
        versions: all that there are, by digest.
        facts: what each manifest says that was read, by digest; of manifests too that the registry
            has though no version was listed for them.
        unreadable: why a manifest could not be read, by digest.
        gone: manifests that others list and that the registry does not have.
        elsewhere: by the digest of a subject that this package lacks, the reason why another
            package may hold it, as shown to users.
        deleted: digests of versions that a package of the run had, and that were deleted.
    """

    versions: Mapping[str, Version]
    facts: Mapping[str, Facts]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        versions: Iterable[Version],
        facts: Mapping[str, Facts],
        unreadable: Mapping[str, str] | None = None,
        gone: Iterable[str] = (),
    ) -> Graph:
        """Make a graph; of versions with one digest the newest counts."""
        ordered = sorted(versions, key=lambda v: (v.created, v.id))
        return cls({v.digest: v for v in ordered}, facts, unreadable or {}, frozenset(gone))

    def has(self, digest: str) -> bool:
        """Tell whether there is such a manifest."""
        return digest in self.versions or digest in self.facts

    def children(self, digest: str) -> list[str]:
        """Return the manifests that one lists, whether they are there or not, each once.

        An entry whose type says that it is no manifest counts too where it is a version.
        """
        facts = self.facts.get(digest)
        if facts is None:
            return []
        listed = [child.digest for child in facts.children]
        listed += [blob for blob, _ in facts.blobs if blob in self.versions]
        return list(dict.fromkeys(listed))

    def missing_children(self, digest: str) -> list[str]:
        """Return the manifests that one lists and the registry does not have."""
        return [child for child in self.children(digest) if child in self.gone]

    @cached_property
    def parents(self) -> Mapping[str, list[str]]:
        """The indexes that list a manifest, all of them, by its digest."""
        found: dict[str, list[str]] = defaultdict(list)
        for digest in self.facts:
            for child in self.children(digest):
                if child != digest:
                    found[child].append(digest)
        return found

    @cached_property
    def subjects(self) -> Mapping[str, list[str]]:
        """What a manifest is attached to, there or not, by its digest."""
        found: dict[str, list[str]] = defaultdict(list)
        for digest, facts in self.facts.items():
            if facts.subject and facts.subject != digest:
                found[digest].append(facts.subject)
        for digest, version in self.versions.items():
            named = {subject for tag in version.tags if (subject := self._tied(digest, tag))}
            found[digest] += sorted(named - set(found[digest]))
        return {digest: subjects for digest, subjects in found.items() if subjects}

    def _tied(self, digest: str, tag: str) -> str:
        """Return what a tag of a version ties it to.

        An image whose tag names a version of this package is not a signature, but is kept with
        that version to be safe: both are kept if either is.
        """
        subject = subject_of_tag(tag)
        is_tied = self.has(subject) and subject != digest
        return subject if is_tied else self.subject_named(digest, tag)

    @cached_property
    def attached(self) -> Mapping[str, list[str]]:
        """What is attached to a manifest, by its digest."""
        found: dict[str, list[str]] = defaultdict(list)
        for digest, subjects in self.subjects.items():
            for subject in subjects:
                found[subject].append(digest)
        return found

    def below(self, digest: str) -> list[str]:
        """Return what goes with a manifest: its children, and what is attached to it."""
        return self.children(digest) + self.attached.get(digest, [])

    def above(self, digest: str) -> list[str]:
        """Return what there is that needs a manifest: its parents, and what it is attached to."""
        needing = self.parents.get(digest, []) + self.subjects.get(digest, [])
        return [other for other in needing if self.has(other)]

    def own_tags(self, digest: str) -> tuple[str, ...]:
        """Return the tags that people gave, not those that tie something to its subject."""
        version = self.versions.get(digest)
        tags = version.tags if version else ()
        return tuple(tag for tag in tags if not self.subject_named(digest, tag))

    def subject_named(self, digest: str, tag: str) -> str:
        """Return the digest of the subject that a tag of a version names; empty for none."""
        subject = subject_of_tag(tag)
        if subject in {"", digest} or not names_subject(tag, digest, self.facts):
            return ""
        return subject

    @cached_property
    def roots(self) -> frozenset[str]:
        """What is there for its own sake: what people tagged, and what nothing else needs."""
        return frozenset(d for d in self.versions if self.own_tags(d) or not self.above(d))

    def is_detached(self, digest: str) -> bool:
        """Return whether something is attached only to what this package does not have."""
        subjects = self.subjects.get(digest, [])
        return bool(subjects) and not any(map(self.has, subjects)) and not self.own_tags(digest)

    def is_orphan(self, digest: str) -> bool:
        """Return whether what something is attached to is known to have been deleted.

        A subject that no package of the run ever had proves nothing: signatures may be stored in
        another package than their image.
        """
        return self.is_detached(digest) and all(
            subject in self.deleted and subject not in self.elsewhere
            for subject in self.subjects[digest]
        )

    def detached_subjects(self) -> set[str]:
        """Return the subjects that this package lacks, of all that is attached to nothing else."""
        return {s for d in self.versions if self.is_detached(d) for s in self.subjects[d]}

    def is_ghost(self, digest: str) -> bool:
        """Tell whether an index has lost all of its children."""
        children = self.children(digest)
        return bool(children) and len(self.missing_children(digest)) == len(children)

    def is_partial(self, digest: str) -> bool:
        """Tell whether an index has lost some of its children, and not all."""
        return 0 < len(self.missing_children(digest)) < len(self.children(digest))

    def closure(self, digests: Iterable[str], *, without: Collection[str] = ()) -> set[str]:
        """Return manifests with all that they need.

        That is what goes with them, and for what is attached to something, that thing.

        Args:
            digests: the manifests.
            without: manifests that are not among what is needed, nor what only they need.
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
        """Return manifests with all that goes with them."""
        found: set[str] = set()
        queue = list(digests)
        while queue:
            digest = queue.pop()
            if digest not in found:
                found.add(digest)
                queue += self.below(digest)
        return found

    def deletion_order(self, digests: set[str]) -> list[str]:
        """Order manifests so that whatever needs one goes before it.

        An interruption then leaves at worst what nobody needs, and never what is broken. In a
        circle, which only tags can make, the oldest goes first.
        """
        waiting = {d: len(digests.intersection(self.above(d))) for d in digests}
        ready = sorted((d for d in digests if not waiting[d]), key=self._age, reverse=True)
        left = set(digests)
        ordered: list[str] = []
        while left:
            if not ready:
                ready = [min(self._circle(left), key=self._age)]
            digest = ready.pop()
            left.discard(digest)
            ordered.append(digest)
            for other in dict.fromkeys(self.below(digest)):
                if other in left:
                    waiting[other] -= 1
                    if not waiting[other]:
                        ready.append(other)
        return ordered

    def _circle(self, left: set[str]) -> set[str]:
        """Return a circle that nothing else of what is left needs."""
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
        """Return a manifest with all that needs it, directly or through others.

        Args:
            digest: the manifest.
            among: the manifests to search; all by default.
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
        """Return digest and bytes of all that a manifest is made of, itself included."""
        facts = self.facts.get(digest)
        return ((digest, facts.size), *facts.blobs) if facts else ()

    def sizes(self, digests: Iterable[str]) -> dict[str, int]:
        """Return the bytes of all that some manifests are made of, by digest, each once."""
        return {blob: size for digest in digests for blob, size in self.blobs(digest)}
