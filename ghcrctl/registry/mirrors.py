"""Mirrors: other places where a registry's images can be pulled from.

What belongs here: a source that asks one place after the other. What does not: which places those
are (``routes``). Digests are checked as ever, whoever sends the bytes, and each host gets only its
own credentials.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import GhcrctlError, IntegrityError, NetworkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.registry.repository import Repository


class MirroredSource:
    """A repository that is asked for at one place after the other.

    A mirror that does not answer, or whose bytes are not what they should be, is not asked again
    in this run; one that lacks something is passed over for that.

    Args:
        mirrors: asked first, in order.
        origin: asked last; its answer stands.
        warn: is told of a mirror that does not answer.
    """

    def __init__(
        self, mirrors: Sequence[Repository], origin: Repository, warn: Callable[[str], None]
    ) -> None:
        self._mirrors = list(mirrors)
        self._origin = origin
        self._warn = warn
        self._opened_at: dict[Digest, Repository] = {}

    @property
    def label(self) -> str:
        """The origin, which people asked for."""
        return self._origin.label

    def resolve(self, name: str) -> Descriptor:
        """Resolve at the first mirror that can, else at the origin."""
        for mirror in list(self._mirrors):
            try:
                return mirror.resolve(name)
            except GhcrctlError as error:
                self._pass_over(mirror, error)
        return self._origin.resolve(name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open at the first mirror that can, else at the origin."""
        for mirror in list(self._mirrors):
            try:
                stream = mirror.open(descriptor, offset)
            except GhcrctlError as error:
                self._pass_over(mirror, error)
            else:
                self._opened_at[descriptor.digest] = mirror
                return stream
        self._opened_at.pop(descriptor.digest, None)
        return self._origin.open(descriptor, offset)

    def doubt(self, descriptor: Descriptor) -> bool:
        """Ask a mirror no more that gave wrong bytes."""
        mirror = self._opened_at.pop(descriptor.digest, None)
        if mirror is None:
            return False
        wrong = IntegrityError(f"it gave wrong bytes for {descriptor.digest}")
        self._pass_over(mirror, wrong)
        return True

    def tags(self) -> Iterator[str]:
        """List the origin's tags: a mirror may know a few only."""
        return self._origin.tags()

    def _pass_over(self, mirror: Repository, error: GhcrctlError) -> None:
        if isinstance(error, (NetworkError, IntegrityError)) and mirror in self._mirrors:
            self._mirrors.remove(mirror)
            why = "does not answer" if isinstance(error, NetworkError) else "cannot be trusted"
            self._warn(f"the mirror {mirror.label} {why}; going on without it: {error}")
