"""Where the bytes of some content come from, for errors about wrong bytes.

What belongs here: the optional power of a source to tell it. A source of several places names the
place that sent the bytes; a source of files names the file.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ghcrctl.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.oci.descriptor import Descriptor


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where some content was read.

    Args:
        label: the place, or the file.
        hint: what the user can do about wrong bytes from there.
    """

    label: str
    hint: str | None = None

    def mark(self, error: IntegrityError) -> None:
        """Say in an error about wrong bytes where these came from, unless it says so already."""
        if self.label not in error.message:
            error.side = error.side or f"reading from {self.label}"
        error.hint = error.hint or self.hint


@contextmanager
def blamed(source: Labelled, descriptor: Descriptor) -> Iterator[None]:
    """Say in errors about content that is not what it should be where it was read."""
    try:
        yield
    except IntegrityError as error:
        provenance_of(source, descriptor).mark(error)
        raise


@runtime_checkable
class Traceable(Protocol):
    """A source that tells where content comes from better than its label does."""

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return where the content of a descriptor was read last, or would be read."""
        ...


class Labelled(Protocol):
    """What every place has."""

    @property
    def label(self) -> str:
        """How people know the place."""
        ...


def provenance_of(source: Labelled, descriptor: Descriptor) -> Provenance:
    """Return where a source reads content."""
    if isinstance(source, Traceable):
        return source.provenance(descriptor)
    return Provenance(source.label)
