"""Save: write images of the local store into an archive, or into a layout directory.

What belongs here: which images, which of their content, and what they are called in the archive.
What does not: the forms of archives (``archive``).
"""

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
from ghcrctl.content.memory import MemoryPlace, Overlay
from ghcrctl.content.provenance import blamed
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
    """What is written: an archive for all, one for old programs, or a directory."""

    OCI = "oci"
    DOCKER = "docker"
    OCI_DIR = "oci-dir"


@dataclass(frozen=True, slots=True)
class Saved:
    """One image that is to be saved.

    Args:
        root: its manifest or index.
        name: a full reference, or empty.
        origin: the digest that the repository in the name knows the image by.
    """

    root: Descriptor
    name: str
    origin: Digest | None = None


def check_form(
    form: Format, *, is_file: bool, compression: Compression | None, without: Collection[str]
) -> None:
    """Check that what is wanted goes together.

    Args:
        form: what is written.
        is_file: whether it goes into a file or a directory.
        compression: how an archive is packed as a whole.
        without: what is left out.

    Raises:
        UsageError: it does not.
    """
    if form is Format.OCI_DIR and not is_file:
        raise UsageError("--format oci-dir needs a directory", hint="name one with -o DIR")
    if form is Format.OCI_DIR and compression:
        raise UsageError("--compress packs archives, and --format oci-dir makes none")
    if form is not Format.OCI and without:
        raise UsageError(f"--without is not for --format {form.value}: nothing could load it")


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
) -> list[Saved]:
    """Save images.

    Args:
        session: the run.
        names: names, digests or IDs; a name without a tag stands for all of its tags.
        output: the file, which is there whole or not at all, or the directory; or what takes the
            bytes.
        form: what is written.
        compression: how an archive is packed as a whole.
        select: what of multi-platform images; by default all that is here.
        without: what the other side has, whose content is left out: local images, archives,
            layouts, or files that list digests.
        observer: watches.

    Returns:
        What was saved, in the order of the archive.

    Raises:
        UsageError: what is wanted does not go together, or `without` reads the output.
        NoSuchImageError: nothing fits a name.
        IntegrityError: content of the store is damaged.
    """
    is_file = isinstance(output, Path)
    if isinstance(output, Path):
        check_not_read(output, map(Path, without))
    check_form(form, is_file=is_file, compression=compression, without=without)
    if form is Format.OCI_DIR and isinstance(output, Path):
        return save_directory(session, names, output, select=select, observer=observer)
    with _opened(output, compression) as write:
        if form is Format.DOCKER:
            return save_docker(session, names, write, select=select)
        there = frozenset().union(*(known_content(session, text) for text in without))
        return save_archive(session, names, write, select=select, without=there, observer=observer)


@contextmanager
def _opened(
    output: Path | Callable[[bytes], object], compression: Compression | None
) -> Iterator[Callable[[bytes], object]]:
    with ExitStack() as stack:
        write = (
            stack.enter_context(whole_file(output, private=True))
            if isinstance(output, Path)
            else output
        )
        if compression:
            from ghcrctl.layers.compressor import make_packer

            write = stack.enter_context(make_packer(compression, write)).write
        yield write


def save_archive(
    session: Session,
    names: Sequence[str],
    write: Callable[[bytes], object],
    *,
    select: Selection = EVERYTHING,
    without: Collection[Digest] = frozenset(),
    observer: Observer = ignore,
) -> list[Saved]:
    """Write an archive that is an OCI layout with docker's list.

    Args:
        session: the run.
        names: names, digests or IDs; a name without a tag stands for all of its tags.
        write: takes the bytes, in order; the same images give the same bytes.
        select: what of multi-platform images; by default all that is here.
        without: content that whoever loads the archive has.
        observer: watches.

    Returns:
        What the archive has, in its order.

    Raises:
        NoSuchImageError: nothing fits a name.
        IntegrityError: content of the store is damaged.
    """
    images = chosen(session, names)
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
) -> list[Saved]:
    """Add images to an OCI layout in a directory, which is made where there is none.

    Returns:
        What was added.

    Raises:
        UsageError: the path is not a directory.
        RefusedError: the directory is neither a layout nor empty.
        NoSuchImageError: nothing fits a name.
    """
    check_output_directory(folder)
    with disk_errors(f"read {folder}"):
        if folder.exists() and any(folder.iterdir()) and not (folder / "index.json").exists():
            raise RefusedError(
                f"the directory {folder} is not empty, and no OCI image layout",
                hint="name one that is not there yet",
            )
    images = chosen(session, names)
    place = LayoutPlace(folder, full_names=True)
    place.origins = {image.name: image.origin for image in images if image.origin}
    return _copy(session, images, place, select, observer)


def save_docker(
    session: Session,
    names: Sequence[str],
    write: Callable[[bytes], object],
    *,
    select: Selection = EVERYTHING,
) -> list[Saved]:
    """Write an archive as docker did until 24: layers unpacked, no manifests, so no digests.

    Of a multi-platform image it takes one: the chosen platform's, or this machine's.

    Returns:
        What the archive has; digests are those of the store.

    Raises:
        UsageError: several platforms are chosen.
        RefusedError: it is no container image, or some of its layers are elsewhere.
        NoSuchImageError: nothing fits a name.
    """
    if len(select.platforms) > 1:
        raise UsageError("docker's own archives hold one platform: choose one with --platform")
    source = StorePlace(session.store)
    writer = DockerWriter(write)
    named: dict[Digest, list[str]] = {}
    roots: dict[Digest, Descriptor] = {}
    saved: list[Saved] = []
    one = Selection(select.platforms)
    for image in chosen(session, names):
        made = MemoryPlace()
        root = choose(
            source, image.root, one, session.settings.preferred_platform, made, warn=session.warn
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
        raise RefusedError(f"{root.digest} is no container image, which docker's archives hold")
    if any(layer.is_foreign for layer in manifest.layers):
        raise RefusedError(
            f"{root.digest} has foreign layers, which docker's archives cannot hold",
            hint="save it as it is: ghcrctl save --format oci",
        )
    raw = read_metadata(source, manifest.config)
    with blamed(source, manifest.config):
        diff_ids = [Digest.parse(text) for text in ImageConfig.parse(raw).diff_ids]
    if len(diff_ids) != len(manifest.layers):
        raise RefusedError(f"the config of {root.digest} does not list all of its layers")
    pairs = zip(diff_ids, manifest.layers, strict=True)
    layers = tuple(Layer(diff_id, Content(source, layer)) for diff_id, layer in pairs)
    return Image(manifest.config.digest, raw, layers, tags)


def _copy(
    session: Session, images: Sequence[Saved], sink: Sink, select: Selection, observer: Observer
) -> list[Saved]:
    saved = []
    # One after the other: an archive has one end, and is to be the same each time.
    with Workers(1) as workers:
        for image in images:
            made = MemoryPlace("made here")
            _write_origin(session, image, made, sink)
            source = Overlay(made, StorePlace(session.store))
            root = choose(
                source,
                image.root,
                select,
                session.settings.preferred_platform,
                made,
                warn=session.warn,
            )
            plan = make_plan(source, sink, root, names=(image.name,), optional_foreign=True, jobs=1)
            execute(plan, TransferOptions(workers, session.retry), observer)
            saved.append(replace(image, root=root))
    return saved


def _write_origin(session: Session, image: Saved, made: MemoryPlace, sink: Sink) -> None:
    """Write the index that an image is a part of: the proof of the digest it was pulled by."""
    if image.origin is None or image.origin == image.root.digest:
        return
    raw = session.store.origins.read(image.origin)
    if raw is None:
        return
    index = replace(parse(raw).descriptor, digest=image.origin)
    made.put(index, raw)
    sink.write(Content(made, index))


def chosen(session: Session, names: Sequence[str]) -> list[Saved]:
    """Find the images that are meant, each name once, in the order given.

    Raises:
        NoSuchImageError: nothing fits a name.
    """
    found: dict[tuple[str, Digest], Saved] = {}
    for text in names:
        for image in _all_tags(session, text) or [_one(session, text)]:
            found[image.name, image.root.digest] = image
    return list(found.values())


def _one(session: Session, text: str) -> Saved:
    found = find(session, text)
    record = found.record
    named = record.name if found.by == "name" else ""
    return Saved(record.descriptor, named, record.origin if named else None)


def _all_tags(session: Session, text: str) -> list[Saved]:
    """Return all tags of a name that says none, as docker does."""
    try:
        reference = session.parse(text)
    except UsageError:
        return []
    if reference.tag or reference.digest:
        return []
    return [
        Saved(record.descriptor, record.name, record.origin)
        for record in sorted(session.store.records(), key=lambda record: record.name)
        if record.reference and record.reference.name == reference.name and record.reference.tag
    ]
