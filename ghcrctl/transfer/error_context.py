"""Context for error messages: whether the source or the sink failed, or what the error is about."""

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
    """Add the source to the message of errors, unless they have a context."""
    with error_context(f"reading from {source.label}"):
        yield


@contextmanager
def writing_to(sink: Sink) -> Iterator[None]:
    """Add the sink to the message of errors, unless they have a context."""
    with error_context(f"writing to {sink.label}"):
        yield


@contextmanager
def error_context(what: str, *kinds: type[GhcrctlError], hint: str | None = None) -> Iterator[None]:
    """Add a prefix to the message of errors, unless they have one or contain the text already.

    Args:
        what: the prefix.
        kinds: classes of errors to prefix; all by default.
        hint: hint for errors without one.
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
    """A source that adds itself to the message of its errors, even when a sink reads from it."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def label(self) -> str:
        """The label of the wrapped source."""
        return self._source.label

    def resolve(self, name: str) -> Descriptor:
        """Resolve a name at the wrapped source."""
        with reading_from(self._source):
            return self._source.resolve(name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open content at the wrapped source."""
        with reading_from(self._source):
            return _MarkedStream(self._source.open(descriptor, offset), self._source)

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return where the wrapped source reads content."""
        return provenance_of(self._source, descriptor)

    def mark_corrupt(self, descriptor: Descriptor) -> bool:
        """Report corrupted content to the wrapped source."""
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
