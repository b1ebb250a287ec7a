"""Load the images of an archive into the local store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import BlobUnknownError, IntegrityError, UsageError
from ghcrctl.layers.compression import Compression
from ghcrctl.oci.manifest import parse
from ghcrctl.oci.reference import check_new_name
from ghcrctl.operations.archives.archive_names import NamedImage
from ghcrctl.operations.archives.from_archive import OpenedArchive, open_image_archive
from ghcrctl.operations.common.index_origin import keep_origin
from ghcrctl.operations.common.platform_selection import Selection, choose
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.error_context import error_context
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
        name: its name in the store; empty if it has none.
        descriptor: its manifest or index in the store.
        image_id: its ID.
        replaced: the ID of another image that had the name before.
        tag: the short name of an image without a full name in a layout; usually a tag.
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
        archive: a file, a directory with an OCI layout, or a stream of bytes.
        select: the platforms of multi-platform images; by default, all.
        name: a name for the only image, instead of its names in the archive.
        compression: the compression of layers that the archive has uncompressed.
        observer: receives progress events.

    Raises:
        NotFoundError: the file does not exist; or a partial archive needs content that the store
            does not have.
        IntegrityError: the file is not an image archive, or is damaged; nothing is stored.
        UsageError: a name is given, but the archive has multiple images.
    """
    planned: list[Digest] = []

    def watch(event: Event) -> None:
        # Cancelled threads may still finish a blob, but send no event after the error.
        if isinstance(event, Planned):
            steps = event.plan.steps
            planned.extend(s.descriptor.digest for s in steps if s.action is Action.COPY)
        observer(event)

    shown = str(archive) if isinstance(archive, Path) else "standard input"
    with (
        error_context(shown, IntegrityError),
        session.workers() as workers,
        open_image_archive(session, archive, observer, compression) as found,
    ):
        images = _rename(found, name) if name else found.images
        try:
            loading = _Loading(session, found, select, workers, watch)
            for same in _same_content(images):
                loading.load(same)
            loaded = loading.finish()
            return [loaded[id(image)] for image in images]
        except BaseException:
            workers.stop()
            for digest in (*found.packed, *planned):
                session.store.discard(digest)
            raise


def _rename(found: OpenedArchive, name: Reference) -> tuple[NamedImage, ...]:
    roots = {image.root.digest: image.root for image in found.images}
    if len(roots) != 1:
        raise UsageError(f"cannot name {len(roots)} images {name}: the archive must have only one")
    named = check_new_name(name.tagged())
    return tuple(NamedImage(root, str(named)) for root in roots.values())


def _same_content(images: Sequence[NamedImage]) -> list[list[NamedImage]]:
    """Group images that differ only in their names."""
    groups: dict[object, list[NamedImage]] = {}
    for image in images:
        groups.setdefault((image.root.digest, image.origin, image.index), []).append(image)
    return list(groups.values())


class _Loading:
    """Loads the images of one archive; all names are written at the end.

    Writing the store's list once per name takes minutes for a thousand names, and a damaged
    archive would be loaded in part.
    """

    def __init__(
        self,
        session: Session,
        found: OpenedArchive,
        select: Selection,
        workers: Workers,
        observer: Observer,
    ) -> None:
        self._session = session
        self._found = found
        self._select = select
        self._workers = workers
        self._observer = observer
        self._images: list[NamedImage] = []
        self._records: list[Record] = []

    def load(self, images: Sequence[NamedImage]) -> None:
        """Load the content of images that differ only in their names."""
        session, image = self._session, images[0]
        source, root = self._resolve_root(image)
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
        """Write all names; return the results by the identity of each image."""
        previous = self._session.store.put_all(self._records)
        rows = zip(self._images, self._records, previous, strict=True)
        return {id(image): _loaded(image, record, before) for image, record, before in rows}

    def _put(self, record: Record) -> Record | None:
        self._records.append(record)
        return None

    def _resolve_root(self, image: NamedImage) -> tuple[Source, Descriptor]:
        """Return the root to load, and a source that has all of its content."""
        session, memory = self._session, MemoryPlace("a new index")
        # If a partial archive was created for this store, the store has the omitted content.
        source = Overlay(memory, Overlay(session.store.blobs.intact, self._found.source))
        platform = session.settings.preferred_platform
        root = choose(source, image.root, self._select, platform, memory, warn=session.warn)
        missing = _find_missing(session, self._found, source, root)
        if needed := [descriptor for descriptor in missing if not descriptor.is_foreign]:
            raise _missing_content_error(needed)
        return source, root


def _loaded(image: NamedImage, record: Record, before: Record | None) -> Loaded:
    image_id = record.facts.image_id
    replaced = before.facts.image_id if before else None
    return Loaded(
        image.name,
        record.descriptor,
        image_id,
        replaced if replaced != image_id else None,
        image.tag,
    )


def _find_missing(
    session: Session, found: OpenedArchive, source: Source, root: Descriptor
) -> list[Descriptor]:
    """Return content that neither the archive nor the store has, before any transfer.

    Content below a missing manifest is unknown, so it is not listed.
    """
    missing: dict[Digest, Descriptor] = {}
    queue, seen = [root], {root.digest}
    while queue:
        current = queue.pop()
        if current.is_manifest:
            try:
                children = parse(read_metadata(source, current), current.media_type).children
            except BlobUnknownError:
                missing[current.digest] = current
                continue
            queue += [child for child in children if child.digest not in seen]
            seen.update(child.digest for child in children)
        elif not (found.has(current) or session.store.blobs.exists(current)):
            missing[current.digest] = current
    return list(missing.values())


def _missing_content_error(needed: Sequence[Descriptor]) -> BlobUnknownError:
    shown = [f"{d.digest} ({d.size} bytes)" for d in needed[:_NAMED_MISSING]]
    more = len(needed) - len(shown)
    shown += [f"{more} more"] if more else []
    return BlobUnknownError(
        f"the archive lacks content that the store does not have either: {', '.join(shown)}",
        hint="it was saved with --without: first load or pull its base, or save it in full",
    )
