"""Mirrors: other places where a registry's images can be pulled from.

What belongs here: a source that asks one place after the other. What does not: which places those
are (``routes``). Digests are checked as ever, whoever sends the bytes, and each host gets only its
own credentials.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ghcrctl.content.provenance import provenance_of
from ghcrctl.errors import GhcrctlError, IntegrityError, NetworkError, RefusedError
from ghcrctl.registry.blocked import BlockedPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ghcrctl.content.ports import Stream
    from ghcrctl.content.provenance import Provenance
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.registry.repository import Repository

    Result = TypeVar("Result")


class MirroredSource:
    """A repository that is asked for at one place after the other.

    A mirror that does not answer, or whose bytes are not what they should be, is not asked again
    in this run; one that lacks something is passed over for that.

    Args:
        mirrors: asked first, in order.
        origin: asked last; its answer stands.
        warn: is told of a mirror that does not answer.
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
        self._opened_at: dict[Digest, Repository] = {}

    @property
    def label(self) -> str:
        """The origin, which people asked for."""
        return self._origin.label

    def resolve(self, name: str) -> Descriptor:
        """Resolve at the first mirror that can, else at the origin."""
        return self._first(lambda place: place.resolve(name))

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

    def provenance(self, descriptor: Descriptor) -> Provenance:
        """Return which place content was opened at last."""
        return provenance_of(self._opened_at.get(descriptor.digest, self._origin), descriptor)

    def doubt(self, descriptor: Descriptor) -> bool:
        """Ask a mirror no more that gave wrong bytes."""
        mirror = self._opened_at.pop(descriptor.digest, None)
        if mirror is None:
            return False
        wrong = IntegrityError(f"it gave wrong bytes for {descriptor.digest}")
        self._pass_over(mirror, wrong)
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
            # The mirrors are all that there is, so that theirs is the error to report.
            raise failure
        return ask(self._origin)

    def _pass_over(self, mirror: Repository, error: GhcrctlError) -> None:
        if isinstance(error, (NetworkError, IntegrityError)) and mirror in self._mirrors:
            self._mirrors.remove(mirror)
            self._dropped(mirror)
            why = "does not answer" if isinstance(error, NetworkError) else "cannot be trusted"
            self._warn(f"the mirror {mirror.label} {why}; going on without it: {error}")
