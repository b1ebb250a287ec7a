"""Where a command's results go: lines for people, documents for programs, a job's page.

What belongs here: that one result is told in each of these, once. What does not: what a result says
(each command), how documents are written (``format.documents``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.documents import Documents
from ghcrctl.cli.format.markdown import cell
from ghcrctl.cli.format.units import human_size
from ghcrctl.store.output_files import check_output_file, whole_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest


class Results:
    """The results of one command.

    Args:
        app: the program.
        format: the option ``--format``; with any, stdout gets documents and nothing else.
        digest_file: the option ``--digest-file``.

    Raises:
        InvalidTemplateError: the format is a template that cannot be read.
        UsageError: the digest file is a directory, or its directory does not exist.
    """

    def __init__(self, app: App, format: str | None, digest_file: Path | None = None) -> None:  # noqa: A002 - it is the option's name
        self._app = app
        self._format = Documents(format)
        if digest_file:
            check_output_file(digest_file)
        self._digest_file = digest_file
        self._documents: list[Mapping[str, Any]] = []
        self._images: list[_Image] = []

    @property
    def are_documents(self) -> bool:
        """Whether stdout gets documents."""
        return bool(self._format)

    def out(self, line: str) -> None:
        """Print a line for people."""
        if not self._format:
            self._app.out(line)

    def add(self, document: Mapping[str, Any]) -> None:
        """Tell of one thing."""
        self._documents.append(document)

    def made(
        self, name: str, descriptor: Descriptor, image_id: Digest | None = None, **more: object
    ) -> None:
        """Tell of an image that the command made, and note it.

        Args:
            name: its name; empty where it has none.
            descriptor: what it is.
            image_id: its ID; an index has none.
            more: further fields of its document.
        """
        document = {
            "Name": name or None,
            "Digest": str(descriptor.digest),
            "MediaType": descriptor.media_type,
            "Size": descriptor.size,
            "ID": None if image_id is None else str(image_id),
        }
        self.add({**document, **more})
        self.image(name, descriptor.digest)

    def image(
        self, name: str, digest: Digest, moved: int | None = None, *, pinned: str = ""
    ) -> None:
        """Add an image that the command transferred or created, for a digest file and a job.

        Args:
            name: its name, as the user reads it; empty where it has none.
            digest: its digest at that place.
            moved: bytes transferred, where that is known.
            pinned: the name with the digest; without it, that of a reference.
        """
        self._images.append(_Image(name, digest, moved, pinned or _pinned(name, digest)))

    def end(self, *, single: bool = False) -> None:
        """Write what is to be written at the end.

        Args:
            single: the command tells of one thing: an object, and no list.
        """
        try:
            # First, since a template may fail, and whoever reads stdout may be gone.
            if self._images:
                self._write_digests()
                self._tell_job()
        finally:
            if self._format and single:
                self._app.write(self._format.one(self._documents[0]))
            elif self._format:
                self._app.write(self._format.many(self._documents))

    def _write_digests(self) -> None:
        if self._digest_file:
            with whole_file(self._digest_file) as write:
                write("".join(f"{image.digest}\n" for image in self._images).encode())

    def _tell_job(self) -> None:
        last = self._images[-1]
        outputs = {"name": last.name, "digest": last.digest, "image": last.pinned}
        images = "\n".join(image.pinned for image in self._images)
        self._app.actions.outputs({**outputs, "images": images})
        head = f"| {self._app.command} | digest | moved |\n|---|---|---:|\n"
        self._app.actions.summary(head + "\n".join(map(_row, self._images)))


@dataclass(frozen=True, slots=True)
class _Image:
    """An image that the command transferred or created; ``moved`` in bytes."""

    name: str
    digest: Digest
    moved: int | None
    pinned: str


def _row(image: _Image) -> str:
    size = "" if image.moved is None else human_size(image.moved)
    return f"| {cell(image.name)} | {cell(str(image.digest))} | {size} |"


def _pinned(name: str, digest: Digest) -> str:
    """Return a reference with this digest instead of its tag and digest."""
    return f"{_bare(name)}@{digest}" if name else str(digest)


def _bare(name: str) -> str:
    """Return a reference without its tag and digest; the colon of a port is not that of a tag."""
    name = name.partition("@")[0]
    return name[: name.rindex(":")] if ":" in name.rpartition("/")[2] else name
