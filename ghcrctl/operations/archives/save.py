"""Save images of the local store to an archive or a layout directory."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.archive.archive_sink import ArchiveSink
from ghcrctl.archive.docker_writer import DockerWriter, Image, Layer
from ghcrctl.archive.layout_folder import LayoutPlace
from ghcrctl.archive.names import docker_tag
from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.content.provenance import error_origin
from ghcrctl.content.streams import Content, read_metadata
from ghcrctl.errors import RefusedError, UsageError
from ghcrctl.oci.config import ImageConfig
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import Manifest, parse
from ghcrctl.operations.archives.known_content import known_content
from ghcrctl.operations.common.find import find
from ghcrctl.operations.common.platform_selection import Selection, choose
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.output_files import check_not_read, check_output_directory, whole_file
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.events import ignore
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan
from ghcrctl.transfer.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from ghcrctl.content.ports import Sink, Source
    from ghcrctl.layers.compression import Compression
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Observer

EVERYTHING = Selection(everything=True)


class Format(Enum):
    """The format to write: an OCI archive, a Docker archive, or an OCI layout directory."""

    OCI = "oci"
    DOCKER = "docker"
    OCI_DIR = "oci-dir"


@dataclass(frozen=True, slots=True)
class SavedImage:
    """One image to save.

    Args:
        root: its manifest or index.
        name: a full reference, or empty.
        origin: the digest of the image in the repository that the name refers to.
    """

    root: Descriptor
    name: str
    origin: Digest | None = None


def check_save_options(
    form: Format, *, is_file: bool, compression: Compression | None, without: Collection[str]
) -> None:
    """Check that the options are compatible with each other.

    Args:
        form: the format to write.
        is_file: whether the output is a path rather than a stream.
        compression: the compression of the whole archive.
        without: the content to leave out.

    Raises:
        UsageError: they are not compatible.
    """
    if form is Format.OCI_DIR and not is_file:
        raise UsageError("--format oci-dir requires a directory", hint="add: -o DIR")
    if form is Format.OCI_DIR and compression:
        raise UsageError("--compress requires an archive, but --format oci-dir writes a directory")
    if form is not Format.OCI and without:
        raise UsageError(f"--without is not supported with --format {form.value}")


def save(  # noqa: PLR0913 all but three by keyword
    session: Session,
    names: Sequence[str],
    output: Path | Callable[[bytes], object],
    *,
    form: Format = Format.OCI,
    compression: Compression | None = None,
    select: Selection = EVERYTHING,
    without: Sequence[str] = (),
    observer: Observer = ignore,
) -> list[SavedImage]:
    """Save images.

    Args:
        session: the run.
        names: names, digests or IDs; a name without a tag means all of its tags.
        output: a file, which is written completely or not at all; a directory; or a function that
            receives the bytes.
        form: the format to write.
        compression: the compression of the whole archive.
        select: the platforms of multi-platform images; by default, all stored ones.
        without: what the recipient already has, and the archive leaves out: local images,
            archives, layouts, or files that list digests.
        observer: receives progress events.

    Returns:
        The saved images, in the order of the archive.

    Raises:
        UsageError: the options are not compatible, or `without` reads the output.
        NoSuchImageError: no image matches a name.
        IntegrityError: content of the store is damaged.
    """
    is_file = isinstance(output, Path)
    if isinstance(output, Path):
        check_not_read(output, map(Path, without))
    check_save_options(form, is_file=is_file, compression=compression, without=without)
    if form is Format.OCI_DIR and isinstance(output, Path):
        return save_directory(session, names, output, select=select, observer=observer)
    with _open_output(output, compression) as write:
        if form is Format.DOCKER:
            return save_docker(session, names, write, select=select)
        known = frozenset().union(*(known_content(session, text) for text in without))
        return save_archive(session, names, write, select=select, without=known, observer=observer)


@contextmanager
def _open_output(
    output: Path | Callable[[bytes], object], compression: Compression | None
) -> Iterator[Callable[[bytes], object]]:
    with ExitStack() as stack:
        write = (
            stack.enter_context(whole_file(output, private=True))
            if isinstance(output, Path)
            else output
        )
        if compression:
            from ghcrctl.layers.compressor import make_compressor

            write = stack.enter_context(make_compressor(compression, write)).write
        yield write


def save_archive(
    session: Session,
    names: Sequence[str],
    write: Callable[[bytes], object],
    *,
    select: Selection = EVERYTHING,
    without: Collection[Digest] = frozenset(),
    observer: Observer = ignore,
) -> list[SavedImage]:
    """Write an archive that is an OCI layout and also has Docker's manifest.json.

    Args:
        session: the run.
        names: names, digests or IDs; a name without a tag means all of its tags.
        write: receives the bytes, in order; the same images produce the same bytes.
        select: the platforms of multi-platform images; by default, all stored ones.
        without: content that the recipient already has.
        observer: receives progress events.

    Returns:
        The images in the archive, in its order.

    Raises:
        NoSuchImageError: no image matches a name.
        IntegrityError: content of the store is damaged.
    """
    images = select_images(session, names)
    roots = {image.root.digest for image in images}

    def leave_out(descriptor: Descriptor) -> bool:
        if descriptor.digest in without and descriptor.digest not in roots:
            return True
        return descriptor.is_foreign and not session.store.blobs.exists(descriptor)

    sink = ArchiveSink(write, session.settings.preferred_platform, leave_out=leave_out)
    sink.origins = {image.name: image.origin for image in images if image.origin}
    saved = _copy(session, images, sink, select, observer)
    sink.finish()
    return saved


def save_directory(
    session: Session,
    names: Sequence[str],
    folder: Path,
    *,
    select: Selection = EVERYTHING,
    observer: Observer = ignore,
) -> list[SavedImage]:
    """Add images to an OCI layout in a directory; create the directory if needed.

    Returns:
        The images that were added.

    Raises:
        UsageError: the path is not a directory.
        RefusedError: the directory is neither a layout nor empty.
        NoSuchImageError: no image matches a name.
    """
    check_output_directory(folder)
    with disk_errors(f"read {folder}"):
        if folder.exists() and any(folder.iterdir()) and not (folder / "index.json").exists():
            raise RefusedError(
                f"the directory {folder} is neither empty nor an OCI image layout",
                hint="use a new directory",
            )
    images = select_images(session, names)
    place = LayoutPlace(folder, full_names=True)
    place.origins = {image.name: image.origin for image in images if image.origin}
    return _copy(session, images, place, select, observer)


def save_docker(
    session: Session,
    names: Sequence[str],
    write: Callable[[bytes], object],
    *,
    select: Selection = EVERYTHING,
) -> list[SavedImage]:
    """Write an archive as docker did before version 25: uncompressed layers, no manifests.

    Such an archive holds one platform of a multi-platform image: the selected one, or that of
    this machine.

    Returns:
        The images in the archive, with their digests in the store.

    Raises:
        UsageError: multiple platforms are selected.
        RefusedError: an image is an artifact, or has foreign layers.
        NoSuchImageError: no image matches a name.
    """
    if len(select.platforms) > 1:
        raise UsageError("a Docker archive holds only one platform", hint="use --platform once")
    source = StorePlace(session.store)
    writer = DockerWriter(write)
    named: dict[Digest, list[str]] = {}
    roots: dict[Digest, Descriptor] = {}
    saved: list[SavedImage] = []
    one = Selection(select.platforms)
    for image in select_images(session, names):
        memory = MemoryPlace()
        root = choose(
            source, image.root, one, session.settings.preferred_platform, memory, warn=session.warn
        )
        roots[root.digest] = root
        saved.append(replace(image, root=root))
        named.setdefault(root.digest, []).append(docker_tag(image.name))
    for digest, root in roots.items():
        writer.add(_docker_image(source, root, tuple(tag for tag in named[digest] if tag)))
    writer.finish()
    return saved


def _docker_image(source: Source, root: Descriptor, tags: tuple[str, ...]) -> Image:
    manifest = parse(read_metadata(source, root), root.media_type)
    if not isinstance(manifest, Manifest) or not manifest.is_image:
        raise RefusedError(f"cannot save {root.digest} as a Docker archive: not a container image")
    if any(layer.is_foreign for layer in manifest.layers):
        raise RefusedError(
            f"cannot save {root.digest} as a Docker archive: it has foreign layers",
            hint="save it unchanged: ghcrctl save --format oci",
        )
    raw = read_metadata(source, manifest.config)
    with error_origin(source, manifest.config):
        diff_ids = [Digest.parse(text) for text in ImageConfig.parse(raw).diff_ids]
    if len(diff_ids) != len(manifest.layers):
        raise RefusedError(f"the config of {root.digest} does not list all of its layers")
    pairs = zip(diff_ids, manifest.layers, strict=True)
    layers = tuple(Layer(diff_id, Content(source, layer)) for diff_id, layer in pairs)
    return Image(manifest.config.digest, raw, layers, tags)


def _copy(
    session: Session,
    images: Sequence[SavedImage],
    sink: Sink,
    select: Selection,
    observer: Observer,
) -> list[SavedImage]:
    saved = []
    # One at a time: an archive is written sequentially, and must be reproducible.
    with Workers(1) as workers:
        for image in images:
            memory = MemoryPlace("a new index")
            _write_origin(session, image, memory, sink)
            source = Overlay(memory, StorePlace(session.store))
            root = choose(
                source,
                image.root,
                select,
                session.settings.preferred_platform,
                memory,
                warn=session.warn,
            )
            plan = make_plan(source, sink, root, names=(image.name,), optional_foreign=True, jobs=1)
            execute(plan, TransferOptions(workers, session.retry), observer)
            saved.append(replace(image, root=root))
    return saved


def _write_origin(session: Session, image: SavedImage, memory: MemoryPlace, sink: Sink) -> None:
    """Write the index that an image was pulled from: it proves the image's origin."""
    if image.origin is None or image.origin == image.root.digest:
        return
    raw = session.store.origins.read(image.origin)
    if raw is None:
        return
    index = replace(parse(raw).descriptor, digest=image.origin)
    memory.put(index, raw)
    sink.write(Content(memory, index))


def select_images(session: Session, names: Sequence[str]) -> list[SavedImage]:
    """Return the named images in order, each name once.

    Raises:
        NoSuchImageError: no image matches a name.
    """
    found: dict[tuple[str, Digest], SavedImage] = {}
    for text in names:
        for image in _all_tags(session, text) or [_find_one(session, text)]:
            found[image.name, image.root.digest] = image
    return list(found.values())


def _find_one(session: Session, text: str) -> SavedImage:
    found = find(session, text)
    record = found.record
    named = record.name if found.by == "name" else ""
    return SavedImage(record.descriptor, named, record.origin if named else None)


def _all_tags(session: Session, text: str) -> list[SavedImage]:
    """Return all tags of a name without a tag, as docker does."""
    try:
        reference = session.parse(text)
    except UsageError:
        return []
    if reference.tag or reference.digest:
        return []
    return [
        SavedImage(record.descriptor, record.name, record.origin)
        for record in sorted(session.store.records(), key=lambda record: record.name)
        if record.reference and record.reference.name == reference.name and record.reference.tag
    ]
