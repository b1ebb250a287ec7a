"""Remove: take names away from local images, and the images that have none left.

What belongs here: docker's rules for what a name or an ID removes, and when it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.errors import ConflictError
from ghcrctl.operations.find import find

if TYPE_CHECKING:
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.find import Found
    from ghcrctl.operations.session import Session
    from ghcrctl.store.records import Record


@dataclass(frozen=True, slots=True)
class Removed:
    """What is gone.

    Args:
        untagged: names, by tag and by digest.
        deleted: the image's ID, if it is gone, then its content that nothing else needed.
    """

    untagged: tuple[str, ...]
    deleted: tuple[Digest, ...]


def remove(session: Session, text: str, *, force: bool = False) -> Removed:
    """Remove the image or the name that a text refers to.

    A name or a digest removes that name. An ID removes all names if they are in one repository, or
    if forced.

    Args:
        session: the run.
        text: a name, a digest or an ID.
        force: remove an image by its ID though several repositories name it.

    Raises:
        NoSuchImageError: nothing fits the text.
        ConflictError: several repositories name the image of this ID; or the text is a digest by
            which no repository knows the image, so that nothing would be removed.
    """
    found = find(session, text)
    if found.by == "id":
        return _remove_image(session, found, force=force)
    if found.by == "digest":
        return _remove_digest(session, found, text)
    return _remove_names(session, found, list(found.named))


def _remove_image(session: Session, found: Found, *, force: bool) -> Removed:
    repositories = {r.repository for r in found.records if r.name}
    if len(repositories) > 1 and not force:
        raise ConflictError(
            f"unable to delete {found.image_id.short} (must be forced): "
            "image is referenced in multiple repositories",
            hint=f"ghcrctl rmi -f {found.image_id.short}, or remove it by its names",
        )
    return _remove_names(session, found, list(found.records))


def _remove_digest(session: Session, found: Found, text: str) -> Removed:
    """Remove the name of an image by digest; its tags are kept.

    Raises:
        ConflictError: the image has its names by tag only, so that there is nothing to forget.
    """
    only_digest = {r: None for r in found.named if not r.tag}
    tagged = {r: None for r in found.named if r.tag}
    if only_digest and not tagged:
        return _remove_names(session, found, list(only_digest))
    untagged = tuple(dict.fromkeys(r.repo_digest for r in tagged if r.repo_digest))
    if not (untagged or only_digest):
        raise ConflictError(
            f"cannot remove {text}: the image is only known by its tags",
            hint=f"ghcrctl rmi {' '.join(record.name for record in tagged)}",
        )
    session.store.edit(
        lambda records: [
            replace(r, origin=None) if r in tagged else r for r in records if r not in only_digest
        ]
    )
    return Removed(untagged, ())


def _remove_names(session: Session, found: Found, doomed: list[Record]) -> Removed:
    """Remove records; the digest by which a repository knows the image goes with its last tag."""
    going = set(doomed)
    kept = [r for r in found.records if r not in going]
    left = {r.repository for r in kept if r.tag}
    homes = {r.repository for r in doomed} - left - {""}
    orphaned = [r for r in kept if r.repository in homes and "@" in r.name]
    doomed = [*doomed, *orphaned]
    kept = [r for r in kept if r.repository not in homes or "@" not in r.name]
    untagged = _untagged(doomed, kept)
    removed = session.store.remove(doomed)
    gone = not kept
    return Removed(untagged, (found.image_id, *_others(found, removed)) if gone else ())


def _untagged(doomed: list[Record], kept: list[Record]) -> tuple[str, ...]:
    known = {(r.repository, r.origin) for r in kept}
    lines: dict[str, None] = {}
    for record in doomed:
        if record.name:
            lines[record.name] = None
        if (record.repository, record.origin) not in known and record.repo_digest:
            lines[record.repo_digest] = None
    tags = [line for line in lines if "@" not in line]
    return (*tags, *(line for line in lines if "@" in line))


def _others(found: Found, removed: tuple[Digest, ...]) -> tuple[Digest, ...]:
    return tuple(digest for digest in removed if digest != found.image_id)
