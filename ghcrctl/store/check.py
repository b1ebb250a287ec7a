"""Checks the store's files against their digests."""

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
    """A fault of one blob.

    Args:
        descriptor: the blob's descriptor.
        problem: ``missing``, ``damaged`` or ``misnamed``.
        detail: the details for messages.
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
    """Read and verify all content of images.

    Foreign layers may be missing, since their publisher hosts them.

    Args:
        blobs: the store's blobs.
        roots: the images.
        jobs: the number of blobs read in parallel.
        progress: called with the number of bytes read.
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
        blobs: the store's blobs.
        entries: the entries of ``index.json``.

    Returns:
        The faults, each with the image's name.
    """
    found = []
    for entry in entries:
        record, name = from_descriptor(entry), entry.annotations.get(NAME, "")
        image_id = record.facts.image_id if record else entry.digest
        detail = ""
        if not is_true(name, entry.digest, record.origin if record else None):
            detail = "its name contains the digest of other content"
        elif not _may_have_id(blobs, entry, image_id):
            detail = f"its ID {image_id} in the list of images is not the ID of its content"
        if detail:
            found.append((Fault(entry, MISNAMED, detail), name or image_id.short))
    return found


def _may_have_id(blobs: Blobs, root: Descriptor, image_id: Digest) -> bool:
    """Check whether an ID belongs to content below a root; true if the content is unreadable."""
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
