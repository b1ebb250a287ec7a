"""Files as endpoints: OCI layout directories and archives."""

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
    with_source_tag,
)
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.output_files import check_not_read, check_output_directory, whole_file
from ghcrctl.transfer.error_context import error_context

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ghcrctl.content.ports import Sink, Stream
    from ghcrctl.operations.archives.archive_names import NamedImage
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.moving.endpoints.base import Endpoint, OpenSink

_MAX_LISTED_NAMES = 10


@dataclass(frozen=True, slots=True)
class FixedSink:
    """An open place with the same sink for every image."""

    sink: Sink

    def place(self, source: OpenSource, target: Target) -> Sink:  # noqa: ARG002 one sink
        """Return the sink."""
        return self.sink


def split_path(kind: str, text: str) -> tuple[Path, str]:
    """Split ``PATH[:NAME]`` at the first colon, unless a file has the whole text as its name.

    Raises:
        UsageError: the path is empty.
    """
    # Skip the colon of a Windows drive.
    start = 2 if text[1:2] == ":" and text[2:3] in {"/", "\\"} else 0
    is_file = bool(text) and os.path.exists(text)  # noqa: PTH110 False if the name is too long
    colon = -1 if is_file else text.find(":", start)
    path, name = (text, "") if colon < 0 else (text[:colon], text[colon + 1 :])
    if not path:
        raise UsageError(f"`{kind}:` has no path", hint=f"use {kind}:PATH or {kind}:PATH:NAME")
    return Path(path), name


@dataclass(frozen=True, slots=True)
class LayoutEndpoint:
    """An OCI layout in a directory.

    Args:
        folder: the directory.
        name: the image's name in ``index.json``, or its digest; may be empty.
    """

    folder: Path
    name: str
    registry = ""
    takes_one_platform = False
    is_sequential = False

    @classmethod
    def parse(cls, text: str) -> LayoutEndpoint:
        """Parse the text after ``oci:``: ``DIR``, ``DIR:NAME`` or ``DIR@DIGEST``."""
        bare, at, digest = text.partition("@")
        if at and not Path(text).exists():
            return cls(split_path("oci", bare)[0], digest)
        return cls(*split_path("oci", text))

    @property
    def what(self) -> str:
        """The name in the layout, if given."""
        return self.name

    @property
    def where(self) -> str:
        """The directory."""
        return str(self.folder)

    @property
    def takes_multiple(self) -> bool:
        """Whether no name is given, so each image keeps its tag."""
        return not self.name

    @property
    def known(self) -> Naming | None:
        """The name, if given."""
        return _parse_naming(self.name) if self.name else None

    @contextmanager
    def source(self, session: Session) -> Iterator[OpenSource]:  # noqa: ARG002 not needed
        """Find the image in the directory."""
        place = LayoutPlace(self.folder)
        entry = self._find_entry(place)
        # Annotations of the entry belong to this directory, not to the copy.
        root = Descriptor(entry.media_type, entry.digest, entry.size)
        if not root.is_manifest:
            raise ManifestUnknownError(
                f"{root.digest} in {self.folder} is not an image: {root.media_type}"
            )
        by_digest = self.name == str(entry.digest)
        name = noted_name(entry.annotations) or entry.annotations.get(REF_NAME, "")
        yield OpenSource(place, root, Naming(None, "") if by_digest else _parse_naming(name))

    def _find_entry(self, place: LayoutPlace) -> Descriptor:
        if self.name:
            try:
                return place.resolve(self.name)
            except ManifestUnknownError as error:
                error.hint = _names_hint(place.tags())
                raise
        entries = {entry.digest: entry for entry in place.entries if entry.is_manifest}
        if len(entries) == 1:
            return next(iter(entries.values()))
        raise _ambiguous_error(self.folder, len(entries), f"oci:{self.folder}:NAME", place.tags())

    @contextmanager
    def sink(self, session: Session, *, dry_run: bool) -> Iterator[OpenSink]:  # noqa: ARG002 nothing to prepare
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
        """Return the name for ``index.json``; empty if the user gave a digest."""
        check_digest(f"oci:{self.folder}@{self.name}", _as_digest(self.name), digest)
        name = "" if _as_digest(self.name) else self.name or naming.tag
        shown = f":{name}" if name else f"@{digest or self.name}"
        return Target(f"oci:{self.folder}{shown}", (name,))


@dataclass(frozen=True, slots=True)
class _LayoutSink:
    """A directory that images are added to. ``named``: the user gave a name."""

    folder: Path
    named: bool

    def place(self, source: OpenSource, target: Target) -> Sink:  # noqa: ARG002 not needed
        """Return the directory, which records an image's full name in addition to its tag."""
        full = source.naming.reference
        keeps = full is not None and full.tag and not full.digest and not self.named
        return LayoutPlace(self.folder, called=str(full) if keeps else "")


def _as_digest(name: str) -> Digest | None:
    """Return the digest in a name; ``None`` for other names."""
    try:
        return Digest.parse(name)
    except InvalidDigestError:
        return None


def _parse_naming(name: str) -> Naming:
    """Parse a name in a layout: usually a tag, sometimes a full name."""
    if not name or is_tag(name):
        return Naming(None, name or DEFAULT_TAG)
    try:
        found = Reference.parse(name, default_registry=DOCKER_HUB, local_names=True).tagged()
    except InvalidReferenceError:
        return Naming(None, DEFAULT_TAG)
    return Naming(found, "" if found.digest else found.tag or "")


@dataclass(frozen=True, slots=True)
class ArchiveEndpoint:
    """An image archive.

    Args:
        path: the file.
        name: the name of an image in it; may be empty.
        reference: the name as a reference, if there is one.
    """

    path: Path
    name: str
    reference: Reference | None
    registry = ""
    takes_one_platform = False
    is_sequential = True

    @classmethod
    def parse(cls, session: Session, text: str) -> ArchiveEndpoint:
        """Parse the text after ``archive:``: ``FILE`` or ``FILE:NAME``."""
        path, name = split_path("archive", text)
        return cls(path, name, session.parse(name) if name else None)

    @property
    def what(self) -> str:
        """The name, if given."""
        return str(self.reference.tagged()) if self.reference else ""

    @property
    def where(self) -> str:
        """The file."""
        return str(self.path)

    @property
    def takes_multiple(self) -> bool:
        """Whether no name is given, so each image keeps its own."""
        return not self.name

    @property
    def known(self) -> Naming | None:
        """The name, if given."""
        return naming_of(self.reference.tagged()) if self.reference else None

    @contextmanager
    def source(self, session: Session) -> Iterator[OpenSource]:
        """Find the image in the archive."""
        with open_archive_image(
            session, self.path, self.reference, f"archive:{self.path}:NAME"
        ) as found:
            yield found

    @contextmanager
    def sink(self, session: Session, *, dry_run: bool) -> Iterator[OpenSink]:
        """Write the archive to a temporary file; rename it when it is complete."""
        if dry_run:
            yield FixedSink(ArchiveSink(len, session.settings.preferred_platform))
            return
        if os.path.isdir(self.path):  # noqa: PTH112 False if the name is too long
            raise UsageError(
                f"cannot write {self.path}: it is a directory",
                hint=f"use oci:{self.path}, or a file in it",
            )
        with whole_file(self.path, private=True) as write:
            sink = ArchiveSink(write, session.settings.preferred_platform)
            sink.label = str(self.path)
            yield FixedSink(sink)
            sink.finish()

    def target(self, naming: Naming, digest: Digest | None) -> Target:
        """Return the name in the archive; empty if there is no name to keep."""
        if self.reference:
            check_digest(f"archive:{self.path}:{self.name}", self.reference.digest, digest)
        named = self.reference or naming.reference
        # A platform or a conversion of the requested digest has another digest.
        if named is None or (named.digest and digest and named.digest != digest):
            return Target(f"archive:{self.path}", ("",))
        named = with_source_tag(named, naming)
        return Target(f"archive:{self.path}:{named}", (str(named),), named)


def check_archive_not_read(sources: Iterable[Endpoint], target: Endpoint) -> None:
    """Check that no source archive is also the target.

    Raises:
        UsageError: a source is the same file as the target.
    """
    if isinstance(target, ArchiveEndpoint):
        check_not_read(
            target.path, [end.path for end in sources if isinstance(end, ArchiveEndpoint)]
        )


def naming_of(reference: Reference) -> Naming:
    """Return the `Naming` of an image with a full name."""
    return Naming(reference, "" if reference.digest else reference.tag or "")


@contextmanager
def open_archive_image(
    session: Session, archive: Path | Stream, wanted: Reference | None, usage: str
) -> Iterator[OpenSource]:
    """Open one image of an archive.

    The layers of Docker archives are compressed into the store, and discarded at the end unless the
    image is stored.

    Args:
        session: the run.
        archive: a file, or a stream of bytes.
        wanted: the image's name; ``None`` for the only image.
        usage: how to name an image, for hints.
    """
    where = str(archive) if isinstance(archive, Path) else "the archive"
    with ExitStack() as stack:
        # Only errors of opening the archive get its name: later ones may be the target's.
        with error_context(where, IntegrityError):
            found = stack.enter_context(open_image_archive(session, archive))
        try:
            image = _find_image(found.images, wanted, usage)
            name = Reference.parse(image.name, default_registry="") if image.name else None
            naming = naming_of(name) if name else Naming(None, DEFAULT_TAG)
            yield OpenSource(found.source, image.root, naming)
        finally:
            for digest in found.packed:
                session.store.discard(digest)


def _find_image(images: Sequence[NamedImage], wanted: Reference | None, usage: str) -> NamedImage:
    names = [image.name for image in images if image.name]
    if wanted is not None:
        for image in images:
            if str(wanted.tagged()) == image.name:
                return image
        raise ManifestUnknownError(
            f"the archive has no image {wanted.tagged()}", hint=_names_hint(names)
        )
    if len({image.root.digest for image in images}) != 1:
        raise _ambiguous_error("the archive", len(images), usage, names)
    return images[0]


def _ambiguous_error(
    where: object, count: int, usage: str, names: Iterator[str] | Sequence[str]
) -> UsageError | NotFoundError:
    if not count:
        return ManifestUnknownError(f"{where} has no image")
    return UsageError(
        f"{where} has {count} images: choose one by name",
        hint=f"use {usage}; {_names_hint(names)}",
    )


def _names_hint(names: Iterator[str] | Sequence[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _MAX_LISTED_NAMES} more" if len(listed) > _MAX_LISTED_NAMES else ""
    return (
        f"it has {', '.join(listed[:_MAX_LISTED_NAMES])}{more}"
        if listed
        else "its images have no names"
    )
