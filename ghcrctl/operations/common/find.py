"""Find local images by name, digest, ID or ID prefix, with docker's rules."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import AmbiguousIdError, InvalidReferenceError, NoSuchImageError
from ghcrctl.oci.digest import Digest

if TYPE_CHECKING:
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.records import Record

_ID = re.compile(r"(?:sha256:|sha512:)?[0-9a-f]+\Z")
_FULL_ID = re.compile(r"(?:(?:sha256:)?[0-9a-f]{64}|sha512:[0-9a-f]{128})\Z")


def is_id(text: str) -> bool:
    """Return whether a string may be an image ID, an ID prefix or a digest."""
    return _ID.match(text) is not None


def is_full_id(text: str) -> bool:
    """Return whether a string is a full image ID or digest, which cannot be an image's name."""
    return _FULL_ID.match(text) is not None


@dataclass(frozen=True, slots=True)
class FoundImage:
    """A local image that matches a name, digest, ID or ID prefix.

    Args:
        image_id: the image's ID.
        records: every record of that image, in the store's order.
        named: the records that the text names; empty if the text is an ID.
        by: ``name``, ``digest`` (of a repository) or ``id``.
    """

    image_id: Digest
    records: tuple[Record, ...]
    named: tuple[Record, ...]
    by: str

    @property
    def record(self) -> Record:
        """The first record that matches."""
        return (self.named or self.records)[0]


def find(session: Session, text: str, among: list[Record] | None = None) -> FoundImage:
    """Find one local image.

    Args:
        session: the run.
        text: ``NAME[:TAG]``, ``NAME@DIGEST``, an ID, an ID prefix, or the digest of a stored
            manifest.
        among: the records to search; by default, all records of the store.

    Raises:
        NoSuchImageError: no image matches.
        AmbiguousIdError: multiple images match an ID prefix.
    """
    records = session.store.records() if among is None else among
    reference = _reference(session, text)
    if reference:
        named = _by_name(records, reference) or _by_exact_name(records, text)
        if named:
            by = "digest" if reference.digest else "name"
            return _found(records, named[0].facts.image_id, named, by)
    if _ID.match(text):
        ids = _by_id(records, text)
        if len(ids) > 1:
            shown = ", ".join(sorted(i.short for i in ids))
            raise AmbiguousIdError(
                f"image ID `{text}` is ambiguous: it matches {shown}", hint="give more digits"
            )
        if ids:
            return _found(records, ids.pop(), (), "id")
    raise _no_such_image(text, records)


def _reference(session: Session, text: str) -> Reference | None:
    """Parse a name; return ``None`` for an ID of 64 digits or one with its algorithm."""
    if re.match(r"(?:sha256|sha512):", text) or is_full_id(text):
        return None
    try:
        return session.parse(text).tagged()
    except InvalidReferenceError:
        if _ID.match(text):
            return None
        raise


def _by_name(records: list[Record], reference: Reference) -> tuple[Record, ...]:
    if not reference.digest:
        name = str(reference)
        return tuple(r for r in records if r.name == name)
    by_digest = f"{reference.name}@{reference.digest}"
    named = [
        r
        for r in records
        if by_digest in {r.name, r.repo_digest}
        or (r.reference and r.reference.name == reference.name and _has(r, reference.digest))
    ]
    return _one_image(named, reference.digest)


def _one_image(records: list[Record], digest: Digest) -> tuple[Record, ...]:
    """Return the records of the image that a digest resolves to, newest first.

    A record with exactly this digest takes precedence over a single platform of it. If multiple
    platforms of one index were pulled separately, the newest one takes precedence.
    """
    exact = [record for record in records if _has(record, digest)]
    chosen = exact or [r for r in records if _has(r, records[-1].descriptor.digest)]
    return tuple(reversed(chosen))


def _by_exact_name(records: list[Record], text: str) -> tuple[Record, ...]:
    """Return records that were pushed to the served store: their names have no registry."""
    return tuple(r for r in records if r.name in {text, f"{text}:latest"})


def _has(record: Record, digest: Digest) -> bool:
    return record.descriptor.digest == digest


def _by_id(records: list[Record], text: str) -> set[Digest]:
    """Return the images whose ID starts with a prefix, or whose manifest has this digest."""
    prefix = text.partition(":")[2] or text
    ids = {r.facts.image_id for r in records if r.facts.image_id.encoded.startswith(prefix)}
    if ids or ":" not in text:
        return ids
    known = [r for r in records if text in {str(r.descriptor.digest), str(r.origin)}]
    return {r.facts.image_id for r in _one_image(known, Digest.parse(text))[:1]} if known else set()


def _found(
    records: list[Record], image_id: Digest, named: tuple[Record, ...], by: str
) -> FoundImage:
    return FoundImage(
        image_id, tuple(r for r in records if r.facts.image_id == image_id), named, by
    )


def _no_such_image(text: str, records: list[Record]) -> NoSuchImageError:
    names = [r.name for r in records if r.name]
    endings = {name.rpartition("/")[2]: name for name in names}
    near = difflib.get_close_matches(text, names, 1, 0.7) or [
        endings[e] for e in difflib.get_close_matches(text.rpartition("/")[2], endings, 1, 0.7)
    ]
    hint = f"did you mean {near[0]}?" if near else "list local images: ghcrctl images"
    return NoSuchImageError(f"no such image: {text}", hint=hint)
