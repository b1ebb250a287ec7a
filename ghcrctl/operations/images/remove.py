"""Remove names from local images, and images without names, by docker's rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.errors import ConflictError, NoSuchImageError, RefusedError, UsageError
from ghcrctl.operations.common.find import find

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ghcrctl.errors import GhcrctlError
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.find import FoundImage
    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.records import Record


@dataclass(frozen=True, slots=True)
class Removed:
    """The result of a removal.

    Args:
        untagged: removed names, by tag and by digest.
        deleted: the image's ID, if the image was deleted, then other content that was deleted.
    """

    untagged: tuple[str, ...]
    deleted: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of removing one of multiple names.

    Args:
        text: the name, digest or ID.
        removed: what was removed; ``None`` after an error.
        error: why nothing was removed.
    """

    text: str
    removed: Removed | None = None
    error: GhcrctlError | None = None


def remove(session: Session, text: str, *, force: bool = False) -> Removed:
    """Remove the image or the name that a name, digest or ID refers to.

    A name or a digest removes that name. An ID removes all names if they are in one repository, or
    if forced.

    Args:
        session: the run.
        text: a name, a digest or an ID.
        force: remove an image by its ID even if it has names in multiple repositories.

    Raises:
        NoSuchImageError: no image matches the text.
        ConflictError: the image of this ID has names in multiple repositories; or the text is a
            digest that no repository has for the image, so nothing would be removed.
    """
    [outcome] = remove_all(session, [text], force=force)
    if outcome.removed is None:
        raise outcome.error or NoSuchImageError(f"no such image: {text}")
    return outcome.removed


def remove_all(session: Session, texts: Iterable[str], *, force: bool = False) -> Iterator[Outcome]:
    """Remove multiple images or names in order, as `remove` does; yield each result.

    The store's list of images is read and written once for all of them, since that is slow with
    thousands of names. Nothing is removed before the first result is requested.

    Raises:
        StoreError: the store cannot be read or written.
    """
    batch = _Batch(session)
    for text in texts:
        try:
            found = find(session, text, batch.records)
            to_remove = _records_to_remove(found, force=force)
            if to_remove is not None:
                batch.add(text, found, to_remove)
                continue
        except (NoSuchImageError, RefusedError, UsageError) as error:
            batch.fail(text, error)
            continue
        yield from batch.end()
        yield _without_digest(session, found, text)
        batch = _Batch(session)
    yield from batch.end()


def _records_to_remove(found: FoundImage, *, force: bool) -> list[Record] | None:
    """Return the records to remove; ``None`` if tags are kept and only a digest is removed."""
    if found.by == "id":
        repositories = {r.repository for r in found.records if r.name}
        if len(repositories) > 1 and not force:
            raise ConflictError(
                f"unable to delete {found.image_id.short} (must be forced): "
                "image is referenced in multiple repositories",
                hint=f"ghcrctl rmi -f {found.image_id.short}, or remove it by its names",
            )
        return list(found.records)
    if found.by == "digest" and any(r.tag for r in found.named):
        return None
    return list(found.named)


class _Batch:
    """Removals that are executed together.

    Args:
        session: the run.

    Attributes:
        records: the records that remain after the removals added so far.
    """

    def __init__(self, session: Session) -> None:
        self._store = session.store
        self.records = session.store.records()
        self._outcomes: list[tuple[str, _Removal | GhcrctlError]] = []

    def add(self, text: str, found: FoundImage, to_remove: list[Record]) -> None:
        """Add a removal."""
        removal = _removal(found, to_remove)
        removed_ids = {id(record) for record in removal.to_remove}
        self.records = [record for record in self.records if id(record) not in removed_ids]
        self._outcomes.append((text, removal))

    def fail(self, text: str, error: GhcrctlError) -> None:
        """Add the error of a removal that is not possible."""
        self._outcomes.append((text, error))

    def end(self) -> Iterator[Outcome]:
        """Execute all removals, and yield the result of each."""
        removals = [each for _, each in self._outcomes if isinstance(each, _Removal)]
        needed = [self._needed(removal) for removal in removals]
        to_remove = [record for removal in removals for record in removal.to_remove]
        content = self._store.remove(to_remove) if to_remove else ()
        deleted = _content_of(removals, needed, content)
        for text, each in self._outcomes:
            if isinstance(each, _Removal):
                yield Outcome(text, each.removed(deleted.get(id(each), [])))
            else:
                yield Outcome(text, error=each)

    def _needed(self, removal: _Removal) -> set[Digest]:
        if not removal.is_whole:
            return set()
        return set(self._store.graph.reached(r.descriptor for r in removal.to_remove))


def _without_digest(session: Session, found: FoundImage, text: str) -> Outcome:
    """Remove the digest of an image, and keep its tags."""
    only_digest = {r: None for r in found.named if not r.tag}
    tagged = {r: None for r in found.named if r.tag}
    untagged = tuple(dict.fromkeys(r.repo_digest for r in tagged if r.repo_digest))
    if not (untagged or only_digest):
        names = " ".join(record.name for record in tagged)
        error = ConflictError(
            f"cannot remove {text}: the image has only tags",
            hint=f"ghcrctl rmi {names}",
        )
        return Outcome(text, error=error)
    session.store.edit(
        lambda records: [
            replace(r, origin=None) if r in tagged else r for r in records if r not in only_digest
        ]
    )
    return Outcome(text, Removed(untagged, ()))


@dataclass(frozen=True, slots=True)
class _Removal:
    """One removal of a batch. ``is_whole``: the image has no name left."""

    image_id: Digest
    to_remove: list[Record]
    untagged: tuple[str, ...]
    is_whole: bool

    def removed(self, content: Sequence[Digest]) -> Removed:
        """Return the result. ``content``: digests that were deleted with the image."""
        others = (digest for digest in content if digest != self.image_id)
        return Removed(self.untagged, (self.image_id, *others) if self.is_whole else ())


def _removal(found: FoundImage, to_remove: list[Record]) -> _Removal:
    """Plan a removal; a repository's digest of the image is removed with its last tag."""
    removed_ids = {id(record) for record in to_remove}
    kept = [r for r in found.records if id(r) not in removed_ids]
    left = {r.repository for r in kept if r.tag}
    homes = {r.repository for r in to_remove} - left - {""}
    orphaned = [r for r in kept if r.repository in homes and "@" in r.name]
    to_remove = [*to_remove, *orphaned]
    kept = [r for r in kept if r.repository not in homes or "@" not in r.name]
    return _Removal(found.image_id, to_remove, _untagged(to_remove, kept), not kept)


def _content_of(
    removals: Sequence[_Removal], needed: Sequence[set[Digest]], content: Sequence[Digest]
) -> dict[int, list[Digest]]:
    """Return which removal deleted which content, by the identity of each removal.

    As in separate removals, content is deleted with the last image that needs it. Content that no
    image needs, such as signatures, is deleted with the last removal.
    """
    owners: dict[Digest, _Removal] = {}
    whole = [(one, digests) for one, digests in zip(removals, needed, strict=True) if one.is_whole]
    for removal, digests in whole:
        owners.update(dict.fromkeys(digests, removal))
    found: dict[int, list[Digest]] = {id(removal): [] for removal, _ in whole}
    for digest in content if whole else ():
        found[id(owners.get(digest, whole[-1][0]))].append(digest)
    return found


def _untagged(to_remove: list[Record], kept: list[Record]) -> tuple[str, ...]:
    known = {(r.repository, r.origin) for r in kept}
    lines: dict[str, None] = {}
    for record in to_remove:
        if record.name:
            lines[record.name] = None
        if (record.repository, record.origin) not in known and record.repo_digest:
            lines[record.repo_digest] = None
    tags = [line for line in lines if "@" not in line]
    return (*tags, *(line for line in lines if "@" in line))
