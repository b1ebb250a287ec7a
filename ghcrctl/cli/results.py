"""Write the results of a command: lines, documents, a digest file, and outputs of a job."""

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
        app: the run.
        format: the option ``--format``. If set, standard output gets documents and no lines.
        digest_file: the option ``--digest-file``.

    Raises:
        InvalidTemplateError: the format is an invalid template.
        UsageError: the digest file is a directory, or its directory does not exist.
    """

    def __init__(self, app: App, format: str | None, digest_file: Path | None = None) -> None:  # noqa: A002 the name of the option
        self._app = app
        self._format = Documents(format)
        if digest_file:
            check_output_file(digest_file)
        self._digest_file = digest_file
        self._documents: list[Mapping[str, Any]] = []
        self._images: list[_Image] = []

    @property
    def are_documents(self) -> bool:
        """Whether standard output gets documents."""
        return bool(self._format)

    def out(self, line: str) -> None:
        """Print a line, unless there are documents."""
        if not self._format:
            self._app.out(line)

    def add(self, document: Mapping[str, Any]) -> None:
        """Add a document."""
        self._documents.append(document)

    def add_created(
        self, name: str, descriptor: Descriptor, image_id: Digest | None = None, **more: object
    ) -> None:
        """Add an image that the command created.

        Args:
            name: its name; empty if it has none.
            descriptor: its descriptor.
            image_id: its ID; an index has none.
            more: additional fields of its document.
        """
        document = {
            "Name": name or None,
            "Digest": str(descriptor.digest),
            "MediaType": descriptor.media_type,
            "Size": descriptor.size,
            "ID": None if image_id is None else str(image_id),
        }
        self.add({**document, **more})
        self.add_image(name, descriptor.digest)

    def add_image(
        self, name: str, digest: Digest, transferred: int | None = None, *, pinned: str = ""
    ) -> None:
        """Add an image that the command transferred or created, for a digest file and a job.

        Args:
            name: its name as printed; empty if it has none.
            digest: its digest at the target.
            transferred: the transferred size (bytes); ``None`` if unknown.
            pinned: the name with the digest; by default, taken from a reference.
        """
        self._images.append(_Image(name, digest, transferred, pinned or _pinned(name, digest)))

    def end(self, *, single: bool = False) -> None:
        """Write the digest file, the outputs of the job, and the documents.

        Args:
            single: write one object instead of a list.
        """
        try:
            # These come first: a template can fail, and standard output can be closed.
            if self._images:
                self._write_digests()
                self._write_job_outputs()
        finally:
            if self._format and single:
                self._app.write(self._format.one(self._documents[0]))
            elif self._format:
                self._app.write(self._format.many(self._documents))

    def _write_digests(self) -> None:
        if self._digest_file:
            with whole_file(self._digest_file) as write:
                write("".join(f"{image.digest}\n" for image in self._images).encode())

    def _write_job_outputs(self) -> None:
        last = self._images[-1]
        outputs = {"name": last.name, "digest": last.digest, "image": last.pinned}
        images = "\n".join(image.pinned for image in self._images)
        self._app.actions.outputs({**outputs, "images": images})
        head = f"| {self._app.command} | digest | transferred |\n|---|---|---:|\n"
        self._app.actions.summary(head + "\n".join(map(_row, self._images)))


@dataclass(frozen=True, slots=True)
class _Image:
    """An image that the command transferred or created; ``transferred`` in bytes."""

    name: str
    digest: Digest
    transferred: int | None
    pinned: str


def _row(image: _Image) -> str:
    size = "" if image.transferred is None else human_size(image.transferred)
    return f"| {cell(image.name)} | {cell(str(image.digest))} | {size} |"


def _pinned(name: str, digest: Digest) -> str:
    """Return a reference with this digest instead of its tag and digest."""
    return f"{_bare(name)}@{digest}" if name else str(digest)


def _bare(name: str) -> str:
    """Return a reference without its tag and digest; a colon before a slash belongs to a port."""
    name = name.partition("@")[0]
    return name[: name.rindex(":")] if ":" in name.rpartition("/")[2] else name
