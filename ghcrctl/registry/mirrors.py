"""Mirrors: other places where a registry's images can be pulled from.

Digests are checked whichever host sends the bytes, and each host only gets its own credentials.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ghcrctl.content.ports import FallbackSource
from ghcrctl.content.provenance import provenance_of
from ghcrctl.errors import GhcrctlError, IntegrityError, NetworkError, NotFoundError, RefusedError
from ghcrctl.registry.blocked_registry import BlockedPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from ghcrctl.content.ports import Stream
    from ghcrctl.content.provenance import Provenance
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.registry.repository import Repository

    Place: TypeAlias = Repository | BlockedPlace
    Result = TypeVar("Result")

# A mirror that failed inside this many pieces of content is not used again.
_MOST_BREAKS = 3


class MirroredSource:
    """A repository that is asked for at one place after the other.

    A mirror that does not respond or sends corrupted bytes is not used again in this run; one that
    lacks some content is only skipped for that content.

    Args:
        mirrors: asked first, in order.
        origin: asked last; its answer stands.
        warn: is called with a message about a mirror that does not respond.
        dropped: is called with a mirror that is not asked again.
    """

    def __init__(
        self,
        mirrors: Sequence[Repository],
        origin: Repository | BlockedPlace,
        warn: Callable[[str], None],
        dropped: Callable[[Repository], None] = lambda _: None,
    ) -> None:
        self._dropped = dropped
        self._mirrors = list(mirrors)
        self._origin = origin
        self._warn = warn
        # Places that sent bytes of content since it was opened, and places that failed inside it.
        self._senders: dict[Digest, list[Place]] = {}
        self._broken: dict[Digest, list[Place]] = {}

    @property
    def label(self) -> str:
        """The origin, which people asked for."""
        return self._origin.label

    def resolve(self, name: str) -> Descriptor:
        """Resolve at the first mirror that can, else at the origin."""
        return self._first(lambda place: place.resolve(name))

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open at the first mirror that can, else at the origin.

        Where a mirror breaks off, the next place sends the rest.
        """
        if not offset:
            self._senders[descriptor.digest] = []
        return _FailoverStream(
            partial(self._open, descriptor), partial(self._break_off, descriptor), offset
        )

    def _open(self, descriptor: Descriptor, offset: int) -> tuple[Stream, Place]:
        failure: GhcrctlError | None = None
        for mirror in self._mirrors_for(descriptor):
            try:
                stream = mirror.open(descriptor, offset)
            except GhcrctlError as error:
                self._pass_over(mirror, error)
                failure = error
            else:
                return stream, self._note_sender(descriptor, mirror)
        if failure and isinstance(self._origin, BlockedPlace):
            raise failure
        stream = self._origin.open(descriptor, offset)
        return stream, self._note_sender(descriptor, self._origin)

    def _note_sender(self, descriptor: Descriptor, place: Place) -> Place:
        self._senders.setdefault(descriptor.digest, []).append(place)
        return place

    def _mirrors_for(self, descriptor: Descriptor) -> list[Repository]:
        broken = self._broken.get(descriptor.digest, [])
        return [mirror for mirror in self._mirrors if mirror not in broken]

    def _is_only(self, descriptor: Descriptor, place: Place) -> bool:
        """Check whether a place is the only one left for content."""
        others = [mirror for mirror in self._mirrors_for(descriptor) if mirror is not place]
        return place is self._origin or (isinstance(self._origin, BlockedPlace) and not others)

    def _break_off(self, descriptor: Descriptor, place: Place, error: GhcrctlError) -> bool:
        """Record that a place failed inside content; return whether another one has the rest."""
        if self._is_only(descriptor, place) or not isinstance(error, NetworkError):
            return False
        self._broken.setdefault(descriptor.digest, []).append(place)
        if sum(place in places for places in self._broken.values()) < _MOST_BREAKS:
            self._warn(
                f"the mirror {place.label} ended early; continuing at the next source: {error}"
            )
        else:
            self._pass_over(place, error)
        return True

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return which place content was opened at last."""
        senders = self._senders.get(descriptor.digest) or [self._origin]
        return provenance_of(senders[-1], descriptor)

    def mark_corrupt(self, descriptor: Descriptor) -> bool:
        """Stop using the mirrors that sent corrupted content, if another place has it."""
        senders = self._senders.pop(descriptor.digest, None) or [self._origin]
        last = senders[-1]
        if self._is_only(descriptor, last):
            return isinstance(last, FallbackSource) and last.mark_corrupt(descriptor)
        self._broken.setdefault(descriptor.digest, []).extend(senders)
        if len(senders) == 1:
            self._pass_over(last, IntegrityError(f"wrong bytes for {descriptor.digest}"))
        return True

    def digest_of(self, name: str) -> Digest:
        """Return the digest of a tag at the first mirror that has it, else at the origin."""
        return self._first(lambda place: place.digest_of(name))

    def referrers(self, subject: Digest) -> list[Descriptor]:
        """Return the referrers at the first mirror that has any, else at the origin.

        A mirror may lack referrers that the origin has, so an empty list is not final. It counts
        where the origin cannot be reached, as in a closed network.
        """
        answered = False
        for mirror in list(self._mirrors):
            try:
                if found := mirror.referrers(subject):
                    return found
                answered = True
            except GhcrctlError as error:
                self._pass_over(mirror, error)
        try:
            return self._origin.referrers(subject)
        except (NetworkError, RefusedError) as error:
            if not answered:
                raise
            self._warn(f"only the mirrors of {self.label} were searched for referrers: {error}")
            return []

    def tags(self) -> Iterator[str]:
        """Yield the origin's tags; a mirror's only where the origin cannot be reached."""
        started = False
        try:
            for tag in self._origin.tags():
                started = True
                yield tag
        except (NetworkError, RefusedError) as error:
            if started:
                raise
            yield from self._tags_of_mirrors(error)

    def _tags_of_mirrors(self, failure: GhcrctlError) -> Iterator[str]:
        for mirror in list(self._mirrors):
            try:
                found = list(mirror.tags())
            except GhcrctlError as error:
                self._pass_over(mirror, error)
                continue
            self._warn(f"these are the tags of the mirror {mirror.label}: {failure}")
            yield from found
            return
        raise failure

    def _first(self, ask: Callable[[Repository | BlockedPlace], Result]) -> Result:
        """Return the result of the first mirror that has one, else of the origin."""
        failure: GhcrctlError | None = None
        for mirror in list(self._mirrors):
            try:
                return ask(mirror)
            except GhcrctlError as error:
                self._pass_over(mirror, error)
                failure = error
        if failure and isinstance(self._origin, BlockedPlace):
            # Only the mirrors can be used, so report their error.
            raise failure
        try:
            return ask(self._origin)
        except NetworkError as error:
            if isinstance(failure, NotFoundError):
                error.message += f"; not found at its mirror either: {failure.message}"
            raise

    def _pass_over(self, mirror: Place, error: GhcrctlError) -> None:
        if not isinstance(mirror, BlockedPlace) and mirror in self._mirrors:
            self._drop(mirror, error)

    def _drop(self, mirror: Repository, error: GhcrctlError) -> None:
        if isinstance(error, (NetworkError, IntegrityError)):
            self._mirrors = [each for each in self._mirrors if each is not mirror]
            self._dropped(mirror)
            why = "does not answer" if isinstance(error, NetworkError) else "cannot be trusted"
            self._warn(f"the mirror {mirror.label} {why}; going on without it: {error}")


class _FailoverStream:
    """A stream of content that continues at the next place after a failure.

    Args:
        open_at: opens the content at an offset, and returns the place.
        break_off: is called on a failure inside the content; returns whether another place has the
            rest.
        offset: the first byte.
    """

    def __init__(
        self,
        open_at: Callable[[int], tuple[Stream, Place]],
        break_off: Callable[[Place, GhcrctlError], bool],
        offset: int,
    ) -> None:
        self._open_at = open_at
        self._break_off = break_off
        self._position = offset
        self._stream, self._place = open_at(offset)

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""
        while True:
            try:
                chunk = self._stream.read(size)
            except GhcrctlError as error:
                if not self._break_off(self._place, error):
                    raise
                self._stream.close()
                self._stream, self._place = self._open_at(self._position)
            else:
                self._position += len(chunk)
                return chunk

    def close(self) -> None:
        """Close the content where it is open."""
        self._stream.close()
