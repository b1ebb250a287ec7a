"""Protocols of copy sources.

The conformance suite in ``tests/conformance`` checks every implementation. Optional capabilities
are protocols of their own, detected with ``isinstance``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.oci.descriptor import Descriptor


class Stream(Protocol):
    """A readable stream of unverified bytes."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; empty at the end.

        Raises:
            ConnectionLostError: the stream ended before its announced length; retryable.
        """
        ...

    def close(self) -> None:
        """Release the stream's resources; can be called twice."""
        ...


@runtime_checkable
class Source(Protocol):
    """A source that content is read from. All methods are thread-safe."""

    @property
    def label(self) -> str:
        """The name of this source in messages, after ``reading from``."""
        ...

    def resolve(self, name: str) -> Descriptor:
        """Return the descriptor of the manifest or index with a tag or digest.

        Raises:
            NotFoundError: the name does not exist.
        """
        ...

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open content for reading, starting at a byte offset, as often as needed.

        Raises:
            NotFoundError: the content does not exist.
        """
        ...


@runtime_checkable
class FallbackSource(Protocol):
    """A source that can fetch corrupted content again, possibly from another source."""

    def mark_corrupt(self, descriptor: Descriptor) -> bool:
        """Record that the last read of content was corrupted.

        Returns:
            Whether to open the content again, from its first byte.
        """
        ...


@runtime_checkable
class Lister(Protocol):
    """A source that can list its tags."""

    def tags(self) -> Iterator[str]:
        """Yield every tag once, in the order of the source."""
        ...
