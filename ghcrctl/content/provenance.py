"""The origin of content, for errors about corrupted bytes.

A source of several places names the place that sent the bytes; a source of files names the file.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ghcrctl.errors import IntegrityError, InvalidManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.oci.descriptor import Descriptor


@dataclass(frozen=True, slots=True)
class Provenance:
    """The place or file that content was read from.

    Args:
        label: the place, or the file.
        hint: what the user can do about wrong bytes from there.
    """

    label: str
    hint: str | None = None

    def mark(self, error: IntegrityError) -> None:
        """Add the origin to an error about invalid content, unless it has one.

        A document can break its specification though every byte is right. The hint is about wrong
        bytes only.
        """
        if self.label not in error.message:
            error.side = error.side or f"reading from {self.label}"
        if not isinstance(error, InvalidManifestError):
            error.hint = error.hint or self.hint


@contextmanager
def blamed(source: Labelled, descriptor: Descriptor) -> Iterator[None]:
    """Add the origin to errors about invalid content."""
    try:
        yield
    except IntegrityError as error:
        provenance_of(source, descriptor).mark(error)
        raise


@runtime_checkable
class Traceable(Protocol):
    """A source that knows the origin of each content."""

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return where the content of a descriptor was read last, or would be read."""
        ...


class Labelled(Protocol):
    """A place with a label."""

    @property
    def label(self) -> str:
        """The name of the place in messages."""
        ...


def provenance_of(source: Labelled, descriptor: Descriptor) -> Provenance:
    """Return where a source reads content."""
    if isinstance(source, Traceable):
        return source.provenance(descriptor)
    return Provenance(source.label)
