"""Load: make the images of an archive exist in the local store.

What belongs here: which of them, and what they are called here. What does not: finding them
(`archived`), moving them (``transfer``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace, Overlay
from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import BlobUnknownError, IntegrityError, UsageError
from ghcrctl.layers.compression import Compression
from ghcrctl.oci.manifest import parse
from ghcrctl.oci.reference import check_new_name
from ghcrctl.operations.archive_names import Named
from ghcrctl.operations.archived import Archived, archived
from ghcrctl.operations.pull import keep_origin
from ghcrctl.operations.selection import Selection, choose
from ghcrctl.store.facts import compute_facts
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.events import Finished, Outcome, ignore
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan
from ghcrctl.transfer.sides import about

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.content.ports import Source, Stream
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.session import Session
    from ghcrctl.transfer.events import Event, Observer
    from ghcrctl.transfer.workers import Workers

EVERYTHING = Selection(everything=True)
_NAMED_MISSING = 10


@dataclass(frozen=True, slots=True)
class Loaded:
    """One image that was loaded.

    Args:
        name: what it is called now; empty where it has no name.
        descriptor: what the store has.
        image_id: its ID.
        replaced: the ID of another image that had the name before.
        tag: what a layout calls an image that has no full name; mostly a tag.
    """

    name: str
    descriptor: Descriptor
    image_id: Digest
    replaced: Digest | None = None
    tag: str = ""


def load(
    session: Session,
    archive: Path | Stream,
    *,
    select: Selection = EVERYTHING,
    name: Reference | None = None,
    compression: Compression = Compression.GZIP,
    observer: Observer = ignore,
) -> list[Loaded]:
    """Load all images of an archive.

    Args:
        session: the run.
        archive: a file, a directory with an OCI layout, or bytes in order.
        select: what of multi-platform images; by default all of them.
        name: what its one image is called here, in place of the archive's own names.
        compression: how layers are packed that are not, where the archive has no manifests.
        observer: watches.

    Raises:
        NotFoundError: there is no such file; or content is missing that an archive left out since
            the other side should have it.
        IntegrityError: it is no archive of images, or is damaged; nothing is stored.
        UsageError: a name is given for several images.
    """
    written: list[Digest] = []

    def watch(event: Event) -> None:
        if isinstance(event, Finished) and event.outcome is Outcome.COPIED:
            written.append(event.step.descriptor.digest)
        observer(event)

    shown = str(archive) if isinstance(archive, Path) else "standard input"
    with (
        about(shown, IntegrityError),
        session.workers() as workers,
        archived(session, archive, observer, compression) as found,
    ):
        images = _named(found, name) if name else found.images
        try:
            return [_load(session, found, i, select, watch, workers) for i in images]
        except BaseException:
            workers.settle()
            for digest in (*found.packed, *written):
                session.store.discard(digest)
            raise


def _named(found: Archived, name: Reference) -> tuple[Named, ...]:
    roots = {image.root.digest: image.root for image in found.images}
    if len(roots) != 1:
        raise UsageError(f"the archive has {len(roots)} images, which cannot all be called {name}")
    named = check_new_name(name.tagged())
    return tuple(Named(root, str(named)) for root in roots.values())


def _load(
    session: Session,
    found: Archived,
    image: Named,
    select: Selection,
    observer: Observer,
    workers: Workers,
) -> Loaded:
    store = session.store
    made = MemoryPlace("made here")
    # What a partial archive leaves out is here, if it was made for this store.
    source = Overlay(made, Overlay(store.blobs.sound, found.source))
    root = choose(source, image.root, select, session.settings.platform, made, warn=session.warn)
    lacking = _lacking(session, found, source, root)
    if needed := [descriptor for descriptor in lacking if not descriptor.is_foreign]:
        raise _left_out(needed)
    sink = StorePlace(store, origin=image.origin)
    plan = make_plan(
        source,
        sink,
        root,
        names=(image.name,),
        optional_foreign=True,
        jobs=session.jobs,
    )
    if image.origin and not image.index:
        keep_origin(session, source, image.root, root)
    before = next((r for r in store.listing() if r.name == image.name), None)
    if image.origin and image.index:
        store.origins.keep(image.origin, image.index)
    execute(plan, TransferOptions(workers, session.retry), observer)
    facts = compute_facts(store.blobs, root, store.prefer)
    replaced = before.image_id if before and image.name else None
    return Loaded(
        image.name,
        root,
        facts.image_id,
        replaced if replaced != facts.image_id else None,
        image.tag,
    )


def _lacking(
    session: Session, found: Archived, source: Source, root: Descriptor
) -> list[Descriptor]:
    """Return what is neither in the archive nor here, before anything moves.

    What a manifest that is lacking needs is not known, and not in the list.
    """
    lacking: dict[Digest, Descriptor] = {}
    queue, seen = [root], {root.digest}
    while queue:
        here = queue.pop()
        if here.is_manifest:
            try:
                children = parse(read_metadata(source, here), here.media_type).children
            except BlobUnknownError:
                lacking[here.digest] = here
                continue
            queue += [child for child in children if child.digest not in seen]
            seen.update(child.digest for child in children)
        elif not (found.has(here) or session.store.blobs.exists(here)):
            lacking[here.digest] = here
    return list(lacking.values())


def _left_out(needed: Sequence[Descriptor]) -> BlobUnknownError:
    shown = [f"{d.digest} ({d.size} bytes)" for d in needed[:_NAMED_MISSING]]
    more = len(needed) - len(shown)
    shown += [f"{more} more"] if more else []
    return BlobUnknownError(
        f"the archive leaves out content that is not here either: {', '.join(shown)}",
        hint="it was saved with --without: load or pull what it builds on, or save it whole",
    )
