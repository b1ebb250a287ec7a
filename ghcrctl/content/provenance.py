"""The origin of content, for errors about corrupted bytes."""

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
        label: name of the source or file in messages.
        hint: hint for errors about corrupted bytes from this origin.
    """

    label: str
    hint: str | None = None

    def mark(self, error: IntegrityError) -> None:
        """Add the origin to an error about invalid content, unless the error has one.

        The hint is about corrupted bytes only. An invalid document may have arrived intact.
        """
        if self.label not in error.message:
            error.side = error.side or f"reading from {self.label}"
        if not isinstance(error, InvalidManifestError):
            error.hint = error.hint or self.hint


@contextmanager
def error_origin(source: Labelled, descriptor: Descriptor) -> Iterator[None]:
    """Add the origin to errors about invalid content."""
    try:
        yield
    except IntegrityError as error:
        provenance_of(source, descriptor).mark(error)
        raise


@runtime_checkable
class Traceable(Protocol):
    """A source that knows the origin of its content."""

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return where the content was read last, or would be read."""
        ...


class Labelled(Protocol):
    """A source with a label."""

    @property
    def label(self) -> str:
        """The name of the source in messages."""
        ...


def provenance_of(source: Labelled, descriptor: Descriptor) -> Provenance:
    """Return where a source reads content."""
    if isinstance(source, Traceable):
        return source.provenance(descriptor)
    return Provenance(source.label)
