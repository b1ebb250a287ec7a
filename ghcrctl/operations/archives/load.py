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
from ghcrctl.operations.archives.archive_names import Named
from ghcrctl.operations.archives.from_archive import Archived, archived
from ghcrctl.operations.common.index_origin import keep_origin
from ghcrctl.operations.common.platform_selection import Selection, choose
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.error_context import about
from ghcrctl.transfer.events import Planned, ignore
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import Action, make_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.content.ports import Source, Stream
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.records import Record
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
    planned: list[Digest] = []

    def watch(event: Event) -> None:
        # Threads that are cancelled may still finish a blob, but send no event after the error.
        if isinstance(event, Planned):
            steps = event.plan.steps
            planned.extend(s.descriptor.digest for s in steps if s.action is Action.COPY)
        observer(event)

    shown = str(archive) if isinstance(archive, Path) else "standard input"
    with (
        about(shown, IntegrityError),
        session.workers() as workers,
        archived(session, archive, observer, compression) as found,
    ):
        images = _named(found, name) if name else found.images
        try:
            loading = _Loading(session, found, select, workers, watch)
            for same in _same_content(images):
                loading.load(same)
            loaded = loading.finish()
            return [loaded[id(image)] for image in images]
        except BaseException:
            workers.settle()
            for digest in (*found.packed, *planned):
                session.store.discard(digest)
            raise


def _named(found: Archived, name: Reference) -> tuple[Named, ...]:
    roots = {image.root.digest: image.root for image in found.images}
    if len(roots) != 1:
        raise UsageError(f"the archive has {len(roots)} images, which cannot all be called {name}")
    named = check_new_name(name.tagged())
    return tuple(Named(root, str(named)) for root in roots.values())


def _same_content(images: Sequence[Named]) -> list[list[Named]]:
    """Group images that differ in their names only."""
    groups: dict[object, list[Named]] = {}
    for image in images:
        groups.setdefault((image.root.digest, image.origin, image.index), []).append(image)
    return list(groups.values())


class _Loading:
    """The images of one archive on their way into the store; all get their names at the end.

    To write the store's list for each name takes minutes for an archive with a thousand of them,
    and an archive that turns out to be damaged would be loaded in part.
    """

    def __init__(
        self,
        session: Session,
        found: Archived,
        select: Selection,
        workers: Workers,
        observer: Observer,
    ) -> None:
        self._session = session
        self._found = found
        self._select = select
        self._workers = workers
        self._observer = observer
        self._images: list[Named] = []
        self._records: list[Record] = []

    def load(self, images: Sequence[Named]) -> None:
        """Bring the content of images that differ in their names only."""
        session, image = self._session, images[0]
        source, root = self._chosen(image)
        plan = make_plan(
            source,
            StorePlace(session.store, origin=image.origin, put=self._put),
            root,
            names=tuple(each.name for each in images),
            optional_foreign=True,
            jobs=session.jobs,
        )
        if image.origin and image.index:
            session.store.origins.keep(image.origin, image.index)
        elif image.origin:
            keep_origin(session, source, image.root, root)
        self._images += images
        execute(plan, TransferOptions(self._workers, session.retry), self._observer)

    def finish(self) -> dict[int, Loaded]:
        """Write all names; return what was loaded by the identity of each image."""
        previous = self._session.store.put_all(self._records)
        rows = zip(self._images, self._records, previous, strict=True)
        return {id(image): _loaded(image, record, before) for image, record, before in rows}

    def _put(self, record: Record) -> Record | None:
        self._records.append(record)
        return None

    def _chosen(self, image: Named) -> tuple[Source, Descriptor]:
        """Return what of an image is loaded, and a source that has all of it."""
        session, made = self._session, MemoryPlace("made here")
        # What a partial archive leaves out is here, if it was made for this store.
        source = Overlay(made, Overlay(session.store.blobs.sound, self._found.source))
        platform = session.settings.preferred_platform
        root = choose(source, image.root, self._select, platform, made, warn=session.warn)
        lacking = _lacking(session, self._found, source, root)
        if needed := [descriptor for descriptor in lacking if not descriptor.is_foreign]:
            raise _left_out(needed)
        return source, root


def _loaded(image: Named, record: Record, before: Record | None) -> Loaded:
    image_id = record.facts.image_id
    replaced = before.facts.image_id if before else None
    return Loaded(
        image.name,
        record.descriptor,
        image_id,
        replaced if replaced != image_id else None,
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
