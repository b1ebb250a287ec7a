"""Which end of a transfer an error comes from, or which thing it is about.

What belongs here: marking errors with their side, and telling sources' errors from sinks' where
both run at once.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.content.ports import FallbackSource
from ghcrctl.content.provenance import provenance_of
from ghcrctl.errors import GhcrctlError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.content.ports import Sink, Source, Stream
    from ghcrctl.content.provenance import Provenance
    from ghcrctl.oci.descriptor import Descriptor


@contextmanager
def reading_from(source: Source) -> Iterator[None]:
    """Mark errors that pass as the source's, unless they are marked already."""
    with about(f"reading from {source.label}"):
        yield


@contextmanager
def writing_to(sink: Sink) -> Iterator[None]:
    """Mark errors that pass as the sink's, unless they are marked already."""
    with about(f"writing to {sink.label}"):
        yield


@contextmanager
def about(what: str, *kinds: type[GhcrctlError], hint: str | None = None) -> Iterator[None]:
    """Mark errors that pass as being about a thing, unless they are marked, or name it, already.

    Args:
        what: stands before the message.
        kinds: which errors do not name the thing themselves; all by default.
        hint: for those without one.
    """
    try:
        yield
    except GhcrctlError as error:
        if not kinds or isinstance(error, kinds):
            if what not in error.message:
                error.side = error.side or what
            error.hint = error.hint or hint
        raise


class MarkedSource:
    """A source whose errors say that they are its own, though a sink's code reads from it."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def label(self) -> str:
        """The label of the source itself."""
        return self._source.label

    def resolve(self, name: str) -> Descriptor:
        """Resolve at the source."""
        with reading_from(self._source):
            return self._source.resolve(name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open at the source."""
        with reading_from(self._source):
            return _MarkedStream(self._source.open(descriptor, offset), self._source)

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return where the source itself reads content."""
        return provenance_of(self._source, descriptor)

    def mark_corrupt(self, descriptor: Descriptor) -> bool:
        """Doubt the source itself."""
        return isinstance(self._source, FallbackSource) and self._source.mark_corrupt(descriptor)


class _MarkedStream:
    def __init__(self, stream: Stream, source: Source) -> None:
        self._stream = stream
        self._source = source

    def read(self, size: int, /) -> bytes:
        with reading_from(self._source):
            return self._stream.read(size)

    def close(self) -> None:
        self._stream.close()
