"""Where a command's results go: lines for people, documents for programs, a job's page.

What belongs here: that one result is told in each of these, once. What does not: what a result says
(each command), how documents are written (``format.documents``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.cli.actions import cell
from ghcrctl.cli.format.documents import Documents
from ghcrctl.cli.format.human import human_size
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
        NotFoundError: the file of digests is in no directory; better said before anything moves.
        UsageError: it is a directory itself.
    """

    def __init__(self, app: App, format: str | None, digest_file: Path | None = None) -> None:  # noqa: A002 - it is the option's name
        self._app = app
        self._format = Documents(format)
        if digest_file:
            check_output_file(digest_file)
        self._digest_file = digest_file
        self._documents: list[Mapping[str, Any]] = []
        self._images: list[tuple[str, Digest, int | None]] = []

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

    def image(self, name: str, digest: Digest, moved: int | None = None) -> None:
        """Note an image that the command brought about: for ``--digest-file`` and for a job.

        Args:
            name: its name, for people; empty where it has none.
            digest: what it is known by there.
            moved: bytes that moved for it, where that is known.
        """
        self._images.append((name, digest, moved))

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
                write("".join(f"{digest}\n" for _, digest, _ in self._images).encode())

    def _tell_job(self) -> None:
        last, digest, _ = self._images[-1]
        pinned = [_pinned(name, digest) for name, digest, _ in self._images]
        outputs = {"name": last, "digest": digest, "image": pinned[-1]}
        self._app.actions.outputs({**outputs, "images": "\n".join(pinned)})
        rows = (
            f"| {cell(name)} | {cell(str(digest))} | {_size(moved)} |"
            for name, digest, moved in self._images
        )
        head = f"| {self._app.command} | digest | moved |\n|---|---|---:|\n"
        self._app.actions.summary(head + "\n".join(rows))


def _size(moved: int | None) -> str:
    return "" if moved is None else human_size(moved)


def _pinned(name: str, digest: Digest) -> str:
    return f"{_bare(name)}@{digest}" if name else str(digest)


def _bare(name: str) -> str:
    """Return a name without its tag and digest."""
    name = name.partition("@")[0]
    return name[: name.rindex(":")] if ":" in name.rpartition("/")[2] else name
