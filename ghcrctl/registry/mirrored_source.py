"""Mirrors: alternative sources for a registry's images.

Digests are verified for every host, and credentials are only sent to the host they are for.
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

# A mirror that failed mid-transfer for this many blobs is no longer used.
_MAX_BROKEN_BLOBS = 3


class MirroredSource:
    """A source that reads a repository from its mirrors in order, then from its origin.

    A mirror that does not respond or sends corrupted bytes is not used again in this run. One that
    lacks some content is only skipped for that content.

    Args:
        mirrors: the mirrors, in order.
        origin: read last; its errors are final.
        warn: called with a message about a mirror that does not respond.
        dropped: called with a mirror that is no longer used.
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
        # The sources that each blob or manifest was read from, and those that failed while sending
        # it.
        self._senders: dict[Digest, list[Place]] = {}
        self._broken: dict[Digest, list[Place]] = {}

    @property
    def label(self) -> str:
        """The name of the origin, which the user gave."""
        return self._origin.label

    def resolve(self, name: str) -> Descriptor:
        """Resolve a name at the first mirror that has it, else at the origin."""
        return self._first(lambda place: place.resolve(name))

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open content at the first mirror that has it, else at the origin.

        If a mirror fails mid-transfer, the next source sends the rest.
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
                self._skip(mirror, error)
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
        """Check whether a host is the only source left for some content."""
        others = [mirror for mirror in self._mirrors_for(descriptor) if mirror is not place]
        return place is self._origin or (isinstance(self._origin, BlockedPlace) and not others)

    def _break_off(self, descriptor: Descriptor, place: Place, error: GhcrctlError) -> bool:
        """Record that a source failed mid-transfer; return whether another one can continue."""
        if self._is_only(descriptor, place) or not isinstance(error, NetworkError):
            return False
        self._broken.setdefault(descriptor.digest, []).append(place)
        if sum(place in places for places in self._broken.values()) < _MAX_BROKEN_BLOBS:
            self._warn(f"the mirror {place.label} failed; continuing with the next source: {error}")
        else:
            self._skip(place, error)
        return True

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return the source that content was last opened at."""
        senders = self._senders.get(descriptor.digest) or [self._origin]
        return provenance_of(senders[-1], descriptor)

    def mark_corrupt(self, descriptor: Descriptor) -> bool:
        """Stop using the mirrors that sent corrupted content, if another source has it."""
        senders = self._senders.pop(descriptor.digest, None) or [self._origin]
        last = senders[-1]
        if self._is_only(descriptor, last):
            return isinstance(last, FallbackSource) and last.mark_corrupt(descriptor)
        self._broken.setdefault(descriptor.digest, []).extend(senders)
        if len(senders) == 1:
            self._skip(last, IntegrityError(f"wrong bytes for {descriptor.digest}"))
        return True

    def digest_of(self, name: str) -> Digest:
        """Return the digest of a tag from the first mirror that has it, else from the origin."""
        return self._first(lambda place: place.digest_of(name))

    def referrers(self, subject: Digest) -> list[Descriptor]:
        """Return the referrers from the first mirror that has any, else from the origin.

        A mirror may lack referrers that the origin has, so its empty list only counts if the origin
        cannot be reached, as in an air-gapped network.
        """
        responded = False
        for mirror in list(self._mirrors):
            try:
                if found := mirror.referrers(subject):
                    return found
                responded = True
            except GhcrctlError as error:
                self._skip(mirror, error)
        try:
            return self._origin.referrers(subject)
        except (NetworkError, RefusedError) as error:
            if not responded:
                raise
            self._warn(f"only the mirrors of {self.label} were searched for referrers: {error}")
            return []

    def tags(self) -> Iterator[str]:
        """Yield the origin's tags, or a mirror's if the origin cannot be reached."""
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
                self._skip(mirror, error)
                continue
            self._warn(f"listing the tags of the mirror {mirror.label} instead: {failure}")
            yield from found
            return
        raise failure

    def _first(self, read: Callable[[Repository | BlockedPlace], Result]) -> Result:
        """Return the result of the first mirror that has one, else of the origin."""
        failure: GhcrctlError | None = None
        for mirror in list(self._mirrors):
            try:
                return read(mirror)
            except GhcrctlError as error:
                self._skip(mirror, error)
                failure = error
        if failure and isinstance(self._origin, BlockedPlace):
            # The origin must not be contacted, so report the mirror's error.
            raise failure
        try:
            return read(self._origin)
        except NetworkError as error:
            if isinstance(failure, NotFoundError):
                error.message += f"; its mirror does not have it: {failure.message}"
            raise

    def _skip(self, mirror: Place, error: GhcrctlError) -> None:
        if not isinstance(mirror, BlockedPlace) and mirror in self._mirrors:
            self._drop(mirror, error)

    def _drop(self, mirror: Repository, error: GhcrctlError) -> None:
        if isinstance(error, (NetworkError, IntegrityError)):
            self._mirrors = [each for each in self._mirrors if each is not mirror]
            self._dropped(mirror)
            why = "is not available" if isinstance(error, NetworkError) else "sent invalid content"
            self._warn(f"the mirror {mirror.label} {why}; continuing without it: {error}")


class _FailoverStream:
    """A content stream that fails over to the next source.

    Args:
        open_at: opens the content at an offset, and returns the stream with its source.
        break_off: called after a failure mid-transfer; returns whether another source can continue.
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
        """Return up to ``size`` bytes; empty at the end."""
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
        """Close the current stream."""
        self._stream.close()
