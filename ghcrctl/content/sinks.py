"""Protocols of copy targets (sinks).

The conformance suite in ``tests/conformance`` checks every implementation. Optional capabilities
are protocols of their own, detected with ``isinstance``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ghcrctl.content.streams import Content
    from ghcrctl.oci.descriptor import Descriptor


@runtime_checkable
class Sink(Protocol):
    """A target that content is written to. All methods are thread-safe."""

    @property
    def label(self) -> str:
        """The name of this sink in messages, after ``writing to``."""
        ...

    def reserve(self, descriptors: Iterable[Descriptor]) -> None:
        """Protect existing content from deletion until the sink is closed."""
        ...

    def exists(self, descriptor: Descriptor) -> bool:
        """Return whether content exists.

        A manifest exists only if its descendants do, except foreign layers.
        """
        ...

    def write(self, content: Content) -> None:
        """Store content under its digest atomically.

        The content verifies itself: an implementation reads it to the last byte and only then makes
        it visible. Bytes received before a failure may be kept to resume the transfer.
        """
        ...

    def tag(self, content: Content, name: str) -> None:
        """Store a manifest under its digest and a tag; its children exist."""
        ...


@runtime_checkable
class Mounter(Protocol):
    """A sink that can mount blobs from its other repositories."""

    def mount(self, descriptor: Descriptor, repositories: Sequence[str]) -> str | None:
        """Mount a blob from the first repository that has it.

        Args:
            descriptor: descriptor of the blob.
            repositories: candidates on the same registry, most likely first.

        Returns:
            The repository the blob was mounted from; ``None`` if the blob must be written.
        """
        ...


@runtime_checkable
class Resumer(Protocol):
    """A sink that keeps the received bytes of an interrupted transfer."""

    def received(self, descriptor: Descriptor) -> int:
        """Return the number of bytes that are already received."""
        ...
