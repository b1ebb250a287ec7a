"""Looking into an image's layers, wherever the image is.

What belongs here: finding the image and reading its layers, verified, with what failed on the way
tried again. What does not: what layers mean (``layers``), and what is asked of them (`files`,
`export`, `diff`).
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ghcrctl.content.corruption_retry import Doubts
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


def unwatched(_done: int, _all: int) -> None:
    """Watch nothing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which image is meant.

    Args:
        text: a name, or for a local image also a digest or an ID.
        platform: whose image of a multi-platform image; this machine's by default.
        is_remote: whether the registry is asked, and not the local store.
    """

    text: str
    platform: Platform | None = None
    is_remote: bool = False


@dataclass(frozen=True, slots=True)
class Located:
    """An image that was found.

    Args:
        source: where it is.
        root: its manifest or index.
        origin: of a local image, the digest that its repository knows it by, where that is known.
    """

    source: Source
    root: Descriptor
    origin: Digest | None = None


class Layers:
    """The layers of one image, base first from 0.

    Args:
        session: the run.
        source: where they are.
        manifest: lists them.
        config: says what they unpack to.
        again: a folder where a layer from elsewhere is kept, to be read a second time; ``None``
            where each is read once.
        progress: is told how many bytes of all layers were read, and how many there are.
    """

    def __init__(
        self,
        session: Session,
        source: Source,
        manifest: Manifest,
        config: ImageConfig,
        *,
        again: Path | None = None,
        progress: Progress = unwatched,
    ) -> None:
        self.manifest = manifest
        self.config = config
        self.limits = Limits()
        self._total = Meter(self.limits)
        self._session = session
        self._source = _Keeping(source, again) if again else source
        self._progress = progress
        self._positions: dict[int, int] = {}
        self.diff_ids = _diff_ids(manifest, config)

    def __len__(self) -> int:
        return len(self.manifest.layers)

    def members(
        self, number: int, look: Callable[[Entry], object] = lambda _: None
    ) -> list[Member]:
        """Read all of a layer, verified, and return what is in it.

        Args:
            number: of the layer.
            look: is shown each member with its content; again from the first where a broken
                connection makes it so.

        Raises:
            IntegrityError: it is damaged, or not what the config says.
            RefusedError: it unpacks to too much.
            UnsupportedError: it is no tar archive.
        """
        return self._session.with_retries(partial(self._members, number, look))

    def _members(self, number: int, look: Callable[[Entry], object]) -> list[Member]:
        meter = Meter(self.limits)
        members = []
        for entry in self.walk(number, meter, watch=partial(self._read, number)):
            look(entry)
            members.append(entry.member)
        self._total.absorb(meter)
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
        """Walk through a layer; it is verified when its last member was taken."""
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
def look_into(
    session: Session,
    wanted: Wanted,
    *,
    located: Located | None = None,
    twice: bool = False,
    progress: Progress = unwatched,
) -> Iterator[Layers]:
    """Yield the layers of an image.

    Args:
        session: the run.
        wanted: the image.
        located: where it is, if it was found already.
        twice: whether layers will be read again; those of a registry are then kept on disk
            meanwhile, as they are stored.
        progress: is told how many bytes of all layers were read, and how many there are.

    Raises:
        NotFoundError: there is no such image, or not for the platform.
        UnsupportedError: it is no container image.
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
        raise UnsupportedError(f"`{wanted.text}` is no container image ({kind}): it has no files")
    with ExitStack() as stack:
        again = None
        if twice and wanted.is_remote:
            again = stack.enter_context(scratch_directory())
        yield Layers(session, source, manifest, config, again=again, progress=progress)


def locate(session: Session, wanted: Wanted) -> Located:
    """Find an image, at its registry or here.

    Raises:
        NotFoundError: the image does not exist.
    """
    if not wanted.is_remote:
        record = _find_here(session, wanted.text)
        here = _Here(session, record.name)
        return Located(here, record.descriptor, record.origin)
    reference = session.parse(wanted.text).tagged()
    repository = session.source(reference)
    return Located(repository, repository.resolve(reference.target))


def _find_here(session: Session, text: str) -> Record:
    try:
        return find(session, text).record
    except NoSuchImageError as error:
        if "did you mean" not in (error.hint or ""):
            error.hint = "--remote reads it from its registry; `ghcrctl images` lists what is here"
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
    # What follows a plus sign is how it is packed, which is seen by its first bytes.
    kind, _, suffix = layer.media_type.partition("+")
    if "encrypted" in suffix or not kind.endswith((".tar", ".tar.gzip", ".tar.zstd")):
        raise UnsupportedError(
            f"the layer {layer.digest} is no plain archive of files but `{layer.media_type}`"
        )


class _Here:
    """The local store; foreign layers, which it need not have, are read at their publisher's.

    Args:
        session: the run.
        name: of the image, whose registry says where its foreign layers may be.
    """

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self._name = name
        self._blobs = session.store.blobs
        self._doubts = Doubts()

    @property
    def label(self) -> str:
        """How people know this place."""
        return self._blobs.label

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return the file that has content."""
        return self._blobs.provenance(descriptor)

    def resolve(self, name: str) -> Descriptor:
        """Refuse, as blobs have no names."""
        return self._blobs.resolve(name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Start reading content at a byte."""
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
            self._doubts.turned(descriptor),
            offset,
            options,
            guard=guard,
            absent_from=self.label,
        )

    def mark_corrupt(self, descriptor: Descriptor) -> bool:
        """Fetch a foreign layer again; what is here stays as it is."""
        is_here = self._blobs.path(descriptor.digest).exists()
        return not is_here and self._doubts.note(descriptor)


class _Keeping:
    """A source whose layers are kept on disk as they are read, and read there the next time."""

    def __init__(self, source: Source, folder: Path) -> None:
        self._source = source
        self._folder = folder
        self._wrong: set[Digest] = set()

    @property
    def label(self) -> str:
        """The label of the source."""
        return self._source.label

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return where the source reads content."""
        return provenance_of(self._source, descriptor)

    def resolve(self, name: str) -> Descriptor:
        """Ask the source."""
        return self._source.resolve(name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Start reading content at a byte."""
        path = self._folder / descriptor.digest.encoded
        if path.exists():
            file = path.open("rb")
            file.seek(offset)
            return file
        stream = self._source.open(descriptor, offset)
        if offset:
            return stream
        self._wrong.discard(descriptor.digest)
        return _Keeper(stream, path, descriptor.size, lambda: descriptor.digest not in self._wrong)

    def mark_corrupt(self, descriptor: Descriptor) -> bool:
        """Discard corrupted bytes and read the source again if that may help."""
        path = self._folder / descriptor.digest.encoded
        self._wrong.add(descriptor.digest)
        discard(path)
        return isinstance(self._source, FallbackSource) and self._source.mark_corrupt(descriptor)


class _Keeper:
    """A stream that leaves a copy, once all of it was read. The reader verifies it each time."""

    def __init__(self, stream: Stream, path: Path, size: int, is_right: Callable[[], bool]) -> None:
        self._stream = stream
        self._path = path
        self._size = size
        self._is_right = is_right
        self._aside = path.with_suffix(".part")
        with disk_errors(f"write {self._aside}"):
            self._file = self._aside.open("wb")

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes."""
        chunk = self._stream.read(size)
        with disk_errors(f"write {self._aside}"):
            self._file.write(chunk)
        return chunk

    def close(self) -> None:
        """Keep the copy if it is complete and was not reported as corrupted."""
        self._stream.close()
        if self._file.closed:
            return
        with disk_errors(f"write {self._aside}"):
            whole = self._file.tell() == self._size
            self._file.close()
            if whole and self._is_right():
                move(self._aside, self._path)
