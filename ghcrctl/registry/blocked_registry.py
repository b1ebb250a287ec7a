"""The repository of a blocked registry, which is only read through mirrors."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.content.ports import Stream
    from ghcrctl.errors import RefusedError
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest


class BlockedPlace:
    """The origin of a reference that can only be read from mirrors.

    Args:
        label: the name that the user gave.
        error: raised by every method.
    """

    def __init__(self, label: str, error: RefusedError) -> None:
        self.label = label
        self._error = error

    def resolve(self, name: str) -> Descriptor:  # noqa: ARG002 it has no names
        """Refuse to resolve."""
        self._refuse()

    def digest_of(self, name: str) -> Digest:  # noqa: ARG002 it has no names
        """Refuse to resolve."""
        self._refuse()

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:  # noqa: ARG002 refused
        """Refuse to open."""
        self._refuse()

    def referrers(self, subject: Digest) -> list[Descriptor]:  # noqa: ARG002 refused
        """Refuse to list referrers."""
        self._refuse()

    def tags(self) -> Iterator[str]:
        """Refuse to list tags."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise self._error
