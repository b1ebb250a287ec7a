"""Links between manifests: children and subjects. Each manifest is read once."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from ghcrctl.errors import GhcrctlError
from ghcrctl.oci.manifest import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest

# Limit for servers that run for weeks.
_MAX_CACHED = 50_000


class Links(NamedTuple):
    """The links of one manifest.

    Args:
        children: the content that the manifest lists.
        subject: the digest that the manifest refers to, if it is a referrer.
    """

    children: tuple[Descriptor, ...] = ()
    subject: Digest | None = None


_NOTHING = Links()


class ManifestGraph:
    """The links between manifests, cached, since content never changes.

    Args:
        read: returns the verified bytes of a manifest.
    """

    def __init__(self, read: Callable[[Descriptor], bytes]) -> None:
        self._bytes_of = read
        self._known: dict[Digest, Links] = {}

    def links(self, descriptor: Descriptor) -> Links:
        """Return the links of a manifest; other content has none.

        Raises:
            GhcrctlError: the manifest is missing or damaged.
        """
        if not descriptor.is_manifest:
            return _NOTHING
        known = self._known.get(descriptor.digest)
        return self._read(descriptor) if known is None else known

    def links_if_readable(self, descriptor: Descriptor) -> Links:
        """Return the links of a manifest; none if it is missing or damaged."""
        try:
            return self.links(descriptor)
        except GhcrctlError:
            return _NOTHING

    def _read(self, descriptor: Descriptor) -> Links:
        parsed = parse(self._bytes_of(descriptor), descriptor.media_type)
        found = Links(parsed.children, parsed.subject.digest if parsed.subject else None)
        if len(self._known) >= _MAX_CACHED:
            self._known.clear()
        self._known[descriptor.digest] = found
        return found

    def reached(
        self, roots: Iterable[Descriptor], *, strict: bool = False
    ) -> dict[Digest, Descriptor]:
        """Return the roots and everything below them, parents first.

        Args:
            roots: the descriptors to start from.
            strict: fail if a manifest is unreadable, instead of treating it as having no children.

        Raises:
            GhcrctlError: with ``strict``, a manifest is missing or damaged.
        """
        found: dict[Digest, Descriptor] = {}
        self.extend(found, roots, strict=strict)
        return found

    def extend(
        self, found: dict[Digest, Descriptor], roots: Iterable[Descriptor], *, strict: bool = False
    ) -> None:
        """Add roots and everything below them to a result of `reached`."""
        read = self.links if strict else self.links_if_readable
        queue = deque(roots)
        while queue:
            here = queue.popleft()
            if here.digest not in found:
                found[here.digest] = here
                queue.extend(read(here).children)

    def manifests(self, roots: Iterable[Descriptor]) -> Iterator[Descriptor]:
        """Yield the manifests among the roots and everything below them."""
        return (d for d in self.reached(roots).values() if d.is_manifest)
