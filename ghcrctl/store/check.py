"""Checking what is on disk against its digests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.content.streams import Content
from ghcrctl.content.threads import thread_pool
from ghcrctl.errors import GhcrctlError, IntegrityError, NotFoundError
from ghcrctl.oci.manifest import parse
from ghcrctl.store.garbage_collection import closure
from ghcrctl.store.name_bindings import is_true
from ghcrctl.store.records import NAME, from_descriptor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.store.blobs import Blobs


MISNAMED = "misnamed"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one piece of content.

    Args:
        descriptor: the content.
        problem: ``missing``, ``damaged`` or ``misnamed``.
        detail: what was found, for messages.
    """

    descriptor: Descriptor
    problem: str
    detail: str


def check_content(
    blobs: Blobs,
    roots: Iterable[Descriptor],
    *,
    jobs: int,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[Digest, Fault]:
    """Read everything that images need, and compare.

    Foreign layers may be missing: their publisher has them.

    Args:
        blobs: where content is.
        roots: the images.
        jobs: how many pieces are read at once.
        progress: is told the bytes that were read.
    """
    faults: dict[Digest, Fault] = {}
    seen: set[Digest] = set()
    with thread_pool(jobs, "check") as pool:
        level = list(roots)
        while level:
            fresh = list({d.digest: d for d in level if d.digest not in seen}.values())
            seen.update(descriptor.digest for descriptor in fresh)
            level = []
            found = pool.map(lambda d: _check(blobs, d, progress), fresh)
            for descriptor, fault in zip(fresh, found, strict=True):
                if fault is None:
                    level += _children(blobs, descriptor)
                elif not (descriptor.is_foreign and fault.problem == "missing"):
                    faults[descriptor.digest] = fault
    return faults


def check_names(blobs: Blobs, entries: Iterable[Descriptor]) -> list[tuple[Fault, str]]:
    """Compare the names and IDs in the list of images with their content.

    Args:
        blobs: where content is.
        entries: the list, as it is written.

    Returns:
        What is wrong, with the name in the list.
    """
    found = []
    for entry in entries:
        record, name = from_descriptor(entry), entry.annotations.get(NAME, "")
        image_id = record.facts.image_id if record else entry.digest
        detail = ""
        if not is_true(name, entry.digest, record.origin if record else None):
            detail = "its name has the digest of other content"
        elif not _may_have_id(blobs, entry, image_id):
            detail = f"the list gives it the ID {image_id}, which is not that of its content"
        if detail:
            found.append((Fault(entry, MISNAMED, detail), name or image_id.short))
    return found


def _may_have_id(blobs: Blobs, root: Descriptor, image_id: Digest) -> bool:
    """Return whether an ID belongs to content below a root; true if that cannot be read."""
    try:
        return image_id in closure(blobs, [root], strict=True)
    except GhcrctlError:
        return True


def _check(blobs: Blobs, descriptor: Descriptor, progress: Callable[[int], None]) -> Fault | None:
    try:
        blobs.examine(descriptor, progress)
        _children(blobs, descriptor)
    except NotFoundError:
        return Fault(descriptor, "missing", "it is not in the store")
    except IntegrityError as error:
        return Fault(descriptor, "damaged", error.message)
    return None


def _children(blobs: Blobs, descriptor: Descriptor) -> tuple[Descriptor, ...]:
    if not descriptor.is_manifest:
        return ()
    return parse(Content(blobs, descriptor).read(), descriptor.media_type).children
