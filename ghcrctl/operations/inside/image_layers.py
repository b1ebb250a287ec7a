"""Read the layers of a local or remote image: verified, and with retries."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ghcrctl.content.corruption_retry import CorruptionCount
from ghcrctl.content.ports import FallbackSource
from ghcrctl.content.provenance import provenance_of
from ghcrctl.content.streams import Content
from ghcrctl.disk.durability import move
from ghcrctl.disk.removal import discard
from ghcrctl.errors import (
    BlobUnknownError,
    GhcrctlError,
    IntegrityError,
    InvalidDigestError,
    InvalidManifestError,
    NoSuchImageError,
    UnsupportedError,
)
from ghcrctl.layers.limits import Limits, Meter
from ghcrctl.layers.walk_layer import walk
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.common.find import find
from ghcrctl.operations.common.image_contents import image_of
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.scratch import scratch_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ghcrctl.content.ports import Source, Stream
    from ghcrctl.content.provenance import Provenance
    from ghcrctl.layers.members import Member
    from ghcrctl.layers.walk_layer import Entry
    from ghcrctl.oci.config import ImageConfig
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.manifest import Manifest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.records import Record

    Progress = Callable[[int, int], None]


def no_progress(_done: int, _all: int) -> None:
    """Ignore progress."""


@dataclass(frozen=True, slots=True)
class ImageSelector:
    """Selects an image.

    Args:
        text: a name; for a local image also a digest or an ID.
        platform: the platform of a multi-platform image; this machine's by default.
        is_remote: whether to look at the registry and not in the local store.
    """

    text: str
    platform: Platform | None = None
    is_remote: bool = False


@dataclass(frozen=True, slots=True)
class LocatedImage:
    """An image that was found.

    Args:
        source: the source of its content.
        root: its manifest or index.
        origin: for a local image, its digest in its repository, if known.
    """

    source: Source
    root: Descriptor
    origin: Digest | None = None


class Layers:
    """The layers of one image, numbered from 0 at the base.

    Args:
        session: the run.
        source: the source of the layers.
        manifest: the manifest that lists them.
        config: the config with their diff IDs.
        again: a folder that keeps remote layers for a second read; ``None`` if each layer is read
            once.
        progress: receives the bytes of layers read so far, and the total.
    """

    def __init__(
        self,
        session: Session,
        source: Source,
        manifest: Manifest,
        config: ImageConfig,
        *,
        again: Path | None = None,
        progress: Progress = no_progress,
    ) -> None:
        self.manifest = manifest
        self.config = config
        self.limits = Limits()
        self._total = Meter(self.limits)
        self._session = session
        self._source = _CachingSource(source, again) if again else source
        self._progress = progress
        self._positions: dict[int, int] = {}
        self.diff_ids = _diff_ids(manifest, config)

    def __len__(self) -> int:
        return len(self.manifest.layers)

    def members(
        self, number: int, look: Callable[[Entry], object] = lambda _: None
    ) -> list[Member]:
        """Read a whole layer, verify it, and return its members.

        Args:
            number: the number of the layer.
            look: called with each member and its content; starts again at the first member if a
                broken connection requires a retry.

        Raises:
            IntegrityError: the layer is damaged, or does not match the config.
            RefusedError: the layer is too large when uncompressed.
            UnsupportedError: the layer is not a tar archive.
        """
        return self._session.with_retries(partial(self._members, number, look))

    def _members(self, number: int, look: Callable[[Entry], object]) -> list[Member]:
        meter = Meter(self.limits)
        members = []
        for entry in self.walk(number, meter, watch=partial(self._read, number)):
            look(entry)
            members.append(entry.member)
        self._total.merge(meter)
        return members

    def _read(self, number: int, position: int) -> None:
        self._positions[number] = position
        total = sum(layer.size for layer in self.manifest.layers)
        self._progress(sum(self._positions.values()), total)

    def walk(
        self,
        number: int,
        meter: Meter | None = None,
        *,
        watch: Callable[[int], None] | None = None,
    ) -> Iterator[Entry]:
        """Yield the entries of a layer; it is verified once the last entry was read."""
        layer = self.manifest.layers[number]
        _require_archive(layer)
        try:
            with Content(self._source, layer, watch=watch).open() as stream:
                yield from walk(stream, meter or Meter(self.limits), self.diff_ids[number])
        except GhcrctlError as error:
            what = f"reading the layer {layer.digest}"
            if isinstance(error, IntegrityError):
                what += f" from {provenance_of(self._source, layer).label}"
            error.side = error.side or what
            raise


@contextmanager
def open_layers(
    session: Session,
    wanted: ImageSelector,
    *,
    located: LocatedImage | None = None,
    twice: bool = False,
    progress: Progress = no_progress,
) -> Iterator[Layers]:
    """Yield the layers of an image.

    Args:
        session: the run.
        wanted: the image.
        located: its location, if already known.
        twice: whether layers are read twice; remote layers are then kept on disk until the end,
            as stored.
        progress: receives the bytes of layers read so far, and the total.

    Raises:
        NotFoundError: the image does not exist, or not for the platform.
        UnsupportedError: the image is not a container image.
    """
    found = located or locate(session, wanted)
    source, root = found.source, found.root
    platform = wanted.platform or session.settings.preferred_platform
    contents = image_of(
        source, root, platform, exact=wanted.platform is not None, warn=session.warn
    )
    manifest, config = contents.manifest, contents.config
    if manifest is None or config is None:
        kind = contents.manifest.kind if contents.manifest else root.media_type
        raise UnsupportedError(
            f"cannot read files of `{wanted.text}`: it is not a container image ({kind})"
        )
    with ExitStack() as stack:
        again = None
        if twice and wanted.is_remote:
            again = stack.enter_context(scratch_directory())
        yield Layers(session, source, manifest, config, again=again, progress=progress)


def locate(session: Session, wanted: ImageSelector) -> LocatedImage:
    """Find an image at its registry or in the local store.

    Raises:
        NotFoundError: the image does not exist.
    """
    if not wanted.is_remote:
        record = _find_local(session, wanted.text)
        here = _LocalLayers(session, record.name)
        return LocatedImage(here, record.descriptor, record.origin)
    reference = session.parse(wanted.text).tagged()
    repository = session.source(reference)
    return LocatedImage(repository, repository.resolve(reference.target))


def _find_local(session: Session, text: str) -> Record:
    try:
        return find(session, text).record
    except NoSuchImageError as error:
        if "did you mean" not in (error.hint or ""):
            error.hint = (
                "use --remote to read it from its registry, or list local images: ghcrctl images"
            )
        raise


def _diff_ids(manifest: Manifest, config: ImageConfig) -> list[Digest]:
    if len(config.diff_ids) != len(manifest.layers):
        raise InvalidManifestError(
            f"invalid image config: it lists {len(config.diff_ids)} layers, but the manifest "
            f"{len(manifest.layers)}"
        )
    try:
        return [Digest.parse(text) for text in config.diff_ids]
    except InvalidDigestError as error:
        raise InvalidManifestError(f"invalid image config: {error.message}") from None


def _require_archive(layer: Descriptor) -> None:
    # Ignore a compression suffix: compression is detected from the first bytes.
    kind, _, suffix = layer.media_type.partition("+")
    if "encrypted" in suffix or not kind.endswith((".tar", ".tar.gzip", ".tar.zstd")):
        raise UnsupportedError(
            f"cannot read the layer {layer.digest}: `{layer.media_type}` is not a tar archive"
        )


class _LocalLayers:
    """The local store; foreign layers that it lacks are read from their publisher.

    Args:
        session: the run.
        name: the image's name, whose registry may also serve its foreign layers.
    """

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self._name = name
        self._blobs = session.store.blobs
        self._corruptions = CorruptionCount()

    @property
    def label(self) -> str:
        """The name of the store, for messages."""
        return self._blobs.label

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return the file that contains the content."""
        return self._blobs.provenance(descriptor)

    def resolve(self, name: str) -> Descriptor:
        """Raise an error: blobs have no names."""
        return self._blobs.resolve(name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open content at an offset (bytes)."""
        try:
            return self._blobs.open(descriptor, offset)
        except BlobUnknownError:
            if not (descriptor.is_foreign and descriptor.urls):
                raise
        from ghcrctl.registry.address_guard import AddressGuard
        from ghcrctl.registry.foreign_layers import open_foreign

        options = self._session.transport_options("")
        guard = AddressGuard(options.check_host)
        if self._name:
            guard.trust(f"https://{self._session.parse(self._name).registry}/")
        return open_foreign(
            self._corruptions.next_urls(descriptor),
            offset,
            options,
            guard=guard,
            absent_from=self.label,
        )

    def mark_corrupt(self, descriptor: Descriptor) -> bool:
        """Return whether a foreign layer can be fetched again; stored layers cannot."""
        is_here = self._blobs.path(descriptor.digest).exists()
        return not is_here and self._corruptions.record(descriptor)


class _CachingSource:
    """A source that keeps each layer on disk when it is first read, for the next read."""

    def __init__(self, source: Source, folder: Path) -> None:
        self._source = source
        self._folder = folder
        self._corrupt: set[Digest] = set()

    @property
    def label(self) -> str:
        """The label of the source."""
        return self._source.label

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return where the source reads content from."""
        return provenance_of(self._source, descriptor)

    def resolve(self, name: str) -> Descriptor:
        """Resolve a name at the source."""
        return self._source.resolve(name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open content at an offset (bytes)."""
        path = self._folder / descriptor.digest.encoded
        if path.exists():
            file = path.open("rb")
            file.seek(offset)
            return file
        stream = self._source.open(descriptor, offset)
        if offset:
            return stream
        self._corrupt.discard(descriptor.digest)
        return _CachingStream(
            stream, path, descriptor.size, lambda: descriptor.digest not in self._corrupt
        )

    def mark_corrupt(self, descriptor: Descriptor) -> bool:
        """Discard corrupt bytes; return whether reading the source again may help."""
        path = self._folder / descriptor.digest.encoded
        self._corrupt.add(descriptor.digest)
        discard(path)
        return isinstance(self._source, FallbackSource) and self._source.mark_corrupt(descriptor)


class _CachingStream:
    """A stream that keeps a copy of a completely read layer. Readers verify it each time."""

    def __init__(self, stream: Stream, path: Path, size: int, is_right: Callable[[], bool]) -> None:
        self._stream = stream
        self._path = path
        self._size = size
        self._is_right = is_right
        self._partial = path.with_suffix(".part")
        with disk_errors(f"write {self._partial}"):
            self._file = self._partial.open("wb")

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes."""
        chunk = self._stream.read(size)
        with disk_errors(f"write {self._partial}"):
            self._file.write(chunk)
        return chunk

    def close(self) -> None:
        """Keep the copy if it is complete and was not reported as corrupted."""
        self._stream.close()
        if self._file.closed:
            return
        with disk_errors(f"write {self._partial}"):
            whole = self._file.tell() == self._size
            self._file.close()
            if whole and self._is_right():
                move(self._partial, self._path)
