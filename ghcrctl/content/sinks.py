"""Protocols of places to copy to.

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
    """A place to write to. It may be used by several threads at once."""

    @property
    def label(self) -> str:
        """How people know this place, for ``writing to ...``."""
        ...

    def reserve(self, descriptors: Iterable[Descriptor]) -> None:
        """Promise that what is found to exist after this call stays until the place is closed."""
        ...

    def exists(self, descriptor: Descriptor) -> bool:
        """Tell whether content is here.

        A manifest is here only if all that it needs is, foreign layers excepted.
        """
        ...

    def write(self, content: Content) -> None:
        """Make content visible under its digest, all of it or nothing.

        What was received before a failure may be kept aside, and is then not asked for again. The
        content verifies
        itself: an implementation reads it to the last byte and makes it visible only after that.
        """
        ...

    def tag(self, content: Content, name: str) -> None:
        """Make a manifest, whose children are here, visible under its digest and a name."""
        ...


@runtime_checkable
class Mounter(Protocol):
    """A sink that can take content over from its other repositories without sending bytes."""

    def mount(self, descriptor: Descriptor, repositories: Sequence[str]) -> str | None:
        """Take content over from the first repository that has it.

        Args:
            descriptor: a blob.
            repositories: candidates on the same host, without the registry, likeliest first.

        Returns:
            The repository it came from, or ``None`` where it must be written.
        """
        ...


@runtime_checkable
class Resumer(Protocol):
    """A sink that keeps what it received of content when a transfer is interrupted."""

    def received(self, descriptor: Descriptor) -> int:
        """Return the bytes that need not be transferred again."""
        ...
