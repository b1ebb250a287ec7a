"""Protocols of places to copy from.

The conformance suite in ``tests/conformance`` checks every implementation. Optional capabilities
are protocols of their own, detected with ``isinstance``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.oci.descriptor import Descriptor


class Stream(Protocol):
    """Bytes in order, as a source opens them; not verified yet."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; fewer than asked is allowed, none means the end.

        Raises:
            ConnectionLostError: the bytes ended before their announced end; retryable.
        """
        ...

    def close(self) -> None:
        """Give back what the stream holds; may be called twice."""
        ...


@runtime_checkable
class Source(Protocol):
    """A place to read from. It may be used by several threads at once."""

    @property
    def label(self) -> str:
        """How people know this place, for ``reading from ...``."""
        ...

    def resolve(self, name: str) -> Descriptor:
        """Return what a tag or a digest stands for: a manifest or an index.

        Raises:
            NotFoundError: there is no such name.
        """
        ...

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Start reading content at a byte; the same content may be opened again and concurrently.

        Raises:
            NotFoundError: the content is not here.
        """
        ...


@runtime_checkable
class FallbackSource(Protocol):
    """A source that can fetch corrupted content again, possibly from another place."""

    def mark_corrupt(self, descriptor: Descriptor) -> bool:
        """Record that the last read of this content was corrupted.

        Returns:
            Whether to open the content again, from its first byte.
        """
        ...


@runtime_checkable
class Lister(Protocol):
    """A source that can list its names."""

    def tags(self) -> Iterator[str]:
        """Yield every tag once, in the order of the place."""
        ...
