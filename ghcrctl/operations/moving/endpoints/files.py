"""Files as ends of a copy: OCI layouts in directories, and archives.

What belongs here: which image of them is meant, and what a copy is called there. What does not:
reading and writing them (``archive``).
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.archive.archive_sink import ArchiveSink
from ghcrctl.archive.layout_folder import LayoutPlace
from ghcrctl.archive.names import REF_NAME, noted_name
from ghcrctl.errors import (
    IntegrityError,
    InvalidDigestError,
    InvalidReferenceError,
    ManifestUnknownError,
    NotFoundError,
    RefusedError,
    UsageError,
)
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.reference import DEFAULT_TAG, DOCKER_HUB, Reference, is_tag
from ghcrctl.operations.archives.from_archive import open_image_archive
from ghcrctl.operations.moving.endpoints.base import (
    Naming,
    OpenSource,
    Target,
    check_digest,
    named_like,
)
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.output_files import check_not_read, check_output_directory, whole_file
from ghcrctl.transfer.error_context import error_context

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ghcrctl.content.ports import Sink, Stream
    from ghcrctl.operations.archives.archive_names import NamedImage
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.moving.endpoints.base import End, OpenSink

_MOST_NAMES = 10


@dataclass(frozen=True, slots=True)
class FixedSink:
    """A place that is the same for every image."""

    sink: Sink

    def place(self, source: OpenSource, target: Target) -> Sink:  # noqa: ARG002 all are alike
        """Return it."""
        return self.sink


def split_path(kind: str, text: str) -> tuple[Path, str]:
    """Take ``PATH[:NAME]`` apart at the first colon, unless there is a file of the whole name.

    Raises:
        UsageError: there is no path.
    """
    # The colon of a drive of Windows is none of ours.
    start = 2 if text[1:2] == ":" and text[2:3] in {"/", "\\"} else 0
    is_file = bool(text) and os.path.exists(text)  # noqa: PTH110 a name that is too long is none
    colon = -1 if is_file else text.find(":", start)
    path, name = (text, "") if colon < 0 else (text[:colon], text[colon + 1 :])
    if not path:
        raise UsageError(f"`{kind}:` names no file", hint=f"write {kind}:PATH or {kind}:PATH:NAME")
    return Path(path), name


@dataclass(frozen=True, slots=True)
class LayoutEnd:
    """An OCI layout in a directory.

    Args:
        folder: the directory.
        name: what ``index.json`` calls the image, or its digest; may be empty.
    """

    folder: Path
    name: str
    registry = ""
    takes_one_platform = False
    is_one_by_one = False

    @classmethod
    def parse(cls, text: str) -> LayoutEnd:
        """Read what follows ``oci:``: ``DIR``, ``DIR:NAME`` or ``DIR@DIGEST``."""
        bare, at, digest = text.partition("@")
        if at and not Path(text).exists():
            return cls(split_path("oci", bare)[0], digest)
        return cls(*split_path("oci", text))

    @property
    def what(self) -> str:
        """Its name there, if one is given."""
        return self.name

    @property
    def where(self) -> str:
        """The directory."""
        return str(self.folder)

    @property
    def takes_several(self) -> bool:
        """Whether no name is given, so that each image has its tag."""
        return not self.name

    @property
    def known(self) -> Naming | None:
        """Its name, if one is given."""
        return _naming_of(self.name) if self.name else None

    @contextmanager
    def source(self, session: Session) -> Iterator[OpenSource]:  # noqa: ARG002 a directory needs none
        """Find it in the directory."""
        place = LayoutPlace(self.folder)
        entry = self._chosen(place)
        # Its notes in this directory are not those that the copy is to have.
        root = Descriptor(entry.media_type, entry.digest, entry.size)
        if not root.is_manifest:
            raise ManifestUnknownError(
                f"{self.folder} lists {root.digest}, which is no image: {root.media_type}"
            )
        by_digest = self.name == str(entry.digest)
        name = noted_name(entry.annotations) or entry.annotations.get(REF_NAME, "")
        yield OpenSource(place, root, Naming(None, "") if by_digest else _naming_of(name))

    def _chosen(self, place: LayoutPlace) -> Descriptor:
        if self.name:
            try:
                return place.resolve(self.name)
            except ManifestUnknownError as error:
                error.hint = _which(place.tags())
                raise
        entries = {entry.digest: entry for entry in place.entries if entry.is_manifest}
        if len(entries) == 1:
            return next(iter(entries.values()))
        raise _not_one(self.folder, len(entries), f"oci:{self.folder}:NAME", place.tags())

    @contextmanager
    def sink(self, session: Session, *, dry_run: bool) -> Iterator[OpenSink]:  # noqa: ARG002 nothing is begun
        """Return the directory as a sink; it is created at the first write.

        Raises:
            UsageError: the path is not a directory.
            RefusedError: the directory is neither a layout nor empty.
        """
        check_output_directory(self.folder)
        with disk_errors(f"read {self.folder}"):
            is_layout = (self.folder / "index.json").exists()
            if self.folder.exists() and not is_layout and any(self.folder.iterdir()):
                raise RefusedError(
                    f"the directory {self.folder} is neither empty nor an OCI image layout",
                    hint="use a new directory",
                )
        yield _LayoutSink(self.folder, named=bool(self.name))

    def target(self, naming: Naming, digest: Digest | None) -> Target:
        """Return what ``index.json`` is to call it; nothing where it was asked for by digest."""
        check_digest(f"oci:{self.folder}@{self.name}", _digest_in(self.name), digest)
        name = "" if _digest_in(self.name) else self.name or naming.tag
        shown = f":{name}" if name else f"@{digest or self.name}"
        return Target(f"oci:{self.folder}{shown}", (name,))


@dataclass(frozen=True, slots=True)
class _LayoutSink:
    """A directory that images are added to. ``named``: the user gave the name there."""

    folder: Path
    named: bool

    def place(self, source: OpenSource, target: Target) -> Sink:  # noqa: ARG002 the tag is its name
        """Return the directory, which notes the full name of an image beside its tag."""
        full = source.naming.reference
        keeps = full is not None and full.tag and not full.digest and not self.named
        return LayoutPlace(self.folder, called=str(full) if keeps else "")


def _digest_in(name: str) -> Digest | None:
    """Return a name that is a digest; ``None`` where it is another one."""
    try:
        return Digest.parse(name)
    except InvalidDigestError:
        return None


def _naming_of(name: str) -> Naming:
    """Read what a layout calls an image: mostly a tag, sometimes a full name."""
    if not name or is_tag(name):
        return Naming(None, name or DEFAULT_TAG)
    try:
        found = Reference.parse(name, default_registry=DOCKER_HUB, local_names=True).tagged()
    except InvalidReferenceError:
        return Naming(None, DEFAULT_TAG)
    return Naming(found, "" if found.digest else found.tag or "")


@dataclass(frozen=True, slots=True)
class ArchiveEnd:
    """An archive of images in a file.

    Args:
        path: the file.
        name: of the image in it; may be empty.
        reference: the name as a reference, where it is one.
    """

    path: Path
    name: str
    reference: Reference | None
    registry = ""
    takes_one_platform = False
    is_one_by_one = True

    @classmethod
    def parse(cls, session: Session, text: str) -> ArchiveEnd:
        """Read what follows ``archive:``: ``FILE`` or ``FILE:NAME``."""
        path, name = split_path("archive", text)
        return cls(path, name, session.parse(name) if name else None)

    @property
    def what(self) -> str:
        """Its name, if one is given."""
        return str(self.reference.tagged()) if self.reference else ""

    @property
    def where(self) -> str:
        """The file."""
        return str(self.path)

    @property
    def takes_several(self) -> bool:
        """Whether no name is given, so that each image keeps its own."""
        return not self.name

    @property
    def known(self) -> Naming | None:
        """Its name, if one is given."""
        return naming_of(self.reference.tagged()) if self.reference else None

    @contextmanager
    def source(self, session: Session) -> Iterator[OpenSource]:
        """Find it in the archive."""
        with from_archive(session, self.path, self.reference, f"archive:{self.path}:NAME") as found:
            yield found

    @contextmanager
    def sink(self, session: Session, *, dry_run: bool) -> Iterator[OpenSink]:
        """Write the archive aside; it gets its name when it is whole."""
        if dry_run:
            yield FixedSink(ArchiveSink(len, session.settings.preferred_platform))
            return
        if os.path.isdir(self.path):  # noqa: PTH112 a name that is too long is none
            raise UsageError(
                f"cannot write {self.path}: it is a directory",
                hint=f"write oci:{self.path}, or name a file in it",
            )
        with whole_file(self.path, private=True) as write:
            sink = ArchiveSink(write, session.settings.preferred_platform)
            sink.label = str(self.path)
            yield FixedSink(sink)
            sink.finish()

    def target(self, naming: Naming, digest: Digest | None) -> Target:
        """Return its name in the archive; none where it has none to keep."""
        if self.reference:
            check_digest(f"archive:{self.path}:{self.name}", self.reference.digest, digest)
        named = self.reference or naming.reference
        # A platform or a conversion of what was asked for by digest is not that digest.
        if named is None or (named.digest and digest and named.digest != digest):
            return Target(f"archive:{self.path}", ("",))
        named = named_like(named, naming)
        return Target(f"archive:{self.path}:{named}", (str(named),), named)


def check_two_archives(sources: Iterable[End], target: End) -> None:
    """Check that an archive is not replaced by some of its own images.

    Raises:
        UsageError: a source is the same file as the target.
    """
    if isinstance(target, ArchiveEnd):
        check_not_read(target.path, [end.path for end in sources if isinstance(end, ArchiveEnd)])


def naming_of(reference: Reference) -> Naming:
    """Return what a full name says."""
    return Naming(reference, "" if reference.digest else reference.tag or "")


@contextmanager
def from_archive(
    session: Session, archive: Path | Stream, wanted: Reference | None, usage: str
) -> Iterator[OpenSource]:
    """Open one image of an archive.

    The layers of docker's archives are packed in the store on the way, and do not stay there unless
    that is where they go.

    Args:
        session: the run.
        archive: a file, or bytes in order.
        wanted: the image's name; ``None`` for the only one.
        usage: how a person names one.
    """
    where = str(archive) if isinstance(archive, Path) else "the archive"
    with ExitStack() as stack:
        # Only what opening it shows: later errors may be those of the target.
        with error_context(where, IntegrityError):
            found = stack.enter_context(open_image_archive(session, archive))
        try:
            image = _image(found.images, wanted, usage)
            name = Reference.parse(image.name, default_registry="") if image.name else None
            naming = naming_of(name) if name else Naming(None, DEFAULT_TAG)
            yield OpenSource(found.source, image.root, naming)
        finally:
            for digest in found.packed:
                session.store.discard(digest)


def _image(images: Sequence[NamedImage], wanted: Reference | None, usage: str) -> NamedImage:
    names = [image.name for image in images if image.name]
    if wanted is not None:
        for image in images:
            if str(wanted.tagged()) == image.name:
                return image
        raise ManifestUnknownError(
            f"the archive has no image {wanted.tagged()}", hint=_which(names)
        )
    if len({image.root.digest for image in images}) != 1:
        raise _not_one("the archive", len(images), usage, names)
    return images[0]


def _not_one(
    where: object, count: int, usage: str, names: Iterator[str] | Sequence[str]
) -> UsageError | NotFoundError:
    if not count:
        return ManifestUnknownError(f"{where} has no image")
    return UsageError(
        f"{where} has {count} images, and none is named",
        hint=f"write {usage}; {_which(names)}",
    )


def _which(names: Iterator[str] | Sequence[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _MOST_NAMES} more" if len(listed) > _MOST_NAMES else ""
    return (
        f"it has {', '.join(listed[:_MOST_NAMES])}{more}" if listed else "its images have no names"
    )
