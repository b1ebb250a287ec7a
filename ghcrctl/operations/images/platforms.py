"""List the platforms of an image, with their sizes and how much of each is stored locally.

Source for attestations: Docker's documentation, "Image attestation storage".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.content.threads import ThreadPool, thread_pool
from ghcrctl.errors import InvalidManifestError
from ghcrctl.oci.config import ImageConfig
from ghcrctl.oci.manifest import Manifest, parse
from ghcrctl.operations.images.inspect import locate_image

if TYPE_CHECKING:
    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.manifest import Index
    from ghcrctl.operations.common.session import Session

_MAX_DEPTH = 8
_ATTESTED = "vnd.docker.reference.digest"
_PREDICATE = "in-toto.io/predicate-type"
_PREDICATES = {"https://spdx.dev/": "SBOM", "https://slsa.dev/provenance": "provenance"}


@dataclass(frozen=True, slots=True)
class Part:
    """A manifest or an index of an image, and what is attached to it.

    Args:
        descriptor: the manifest or index.
        what: its platform, its type, or what it attests.
        content: all content that it needs, including itself; stored bytes by digest.
        layers: the number of layers.
        is_image: whether it is a container image, not an attestation, artifact or index.
        parts: the images of an index, or the attestations of an image.
    """

    descriptor: Descriptor
    what: str
    content: dict[Digest, int] = field(repr=False)
    layers: int = 0
    is_image: bool = False
    parts: tuple[Part, ...] = ()

    @property
    def size(self) -> int:
        """Stored size of all content that it needs, without duplicates (bytes)."""
        return sum(self.content.values())

    def images(self) -> list[Part]:
        """Return the container images in it, in order."""
        found = [self] if self.is_image else []
        return found + [image for part in self.parts for image in part.images()]


@dataclass(frozen=True, slots=True)
class PlatformRow:
    """A platform of an image.

    Args:
        name: the image, as given by the user.
        platform: the platform.
        descriptor: the image for the platform.
        size: stored size of all content that it needs (bytes).
        here: the part of it in the local store (bytes).
        layers: the number of layers.
    """

    name: str
    platform: str
    descriptor: Descriptor
    size: int
    here: int
    layers: int

    @property
    def to_pull(self) -> int:
        """The size that a pull would transfer (bytes)."""
        return self.size - self.here


def platform_rows(session: Session, text: str, *, is_remote: bool) -> list[PlatformRow]:
    """List the platforms of an image, with their sizes.

    Args:
        session: the run.
        text: a name; for a local image also a digest or an ID.
        is_remote: whether to look at the registry and not in the local store.

    Raises:
        NotFoundError: the image does not exist.
    """
    source, root = locate_image(session, text, is_remote=is_remote)
    return [
        PlatformRow(
            text, part.what, part.descriptor, part.size, stored_size(session, part), part.layers
        )
        for part in read_parts(session, source, root).images()
    ]


def read_parts(session: Session, source: Source, root: Descriptor) -> Part:
    """Read all manifests of an image; manifests of an index are read in parallel.

    Args:
        session: the run.
        source: the source of the image.
        root: a manifest or an index.

    Raises:
        InvalidManifestError: a manifest is malformed.
    """
    with thread_pool(session.jobs, "manifests") as pool:
        return _PartReader(source, pool).part(root, 0)


def stored_size(session: Session, part: Part) -> int:
    """Return the size of the content that the local store has (bytes)."""
    blobs = session.store.blobs
    return sum(size for digest, size in part.content.items() if blobs.size(digest) == size)


class _PartReader:
    """Reads the manifests below one root; a repeated index is expanded only once."""

    def __init__(self, source: Source, pool: ThreadPool) -> None:
        self._source = source
        self._pool = pool
        self._indexes: dict[Digest, Part] = {}

    def part(self, entry: Descriptor, depth: int) -> Part:
        """Read one entry and everything below it."""
        if depth > _MAX_DEPTH:
            raise InvalidManifestError(f"indexes are nested more than {_MAX_DEPTH} deep")
        if entry.digest in self._indexes:
            # Expanding it again would never end if indexes list each other.
            return replace(self._indexes[entry.digest], descriptor=entry, parts=())
        parsed = parse(read_metadata(self._source, entry), entry.media_type)
        if isinstance(parsed, Manifest):
            own = {parsed.descriptor.digest: len(parsed.raw)}
            return _manifest(self._source, entry, parsed, own)
        result = self._index(entry, parsed, depth)
        self._indexes[entry.digest] = result
        return result

    def _index(self, entry: Descriptor, parsed: Index, depth: int) -> Part:
        # Read manifests in parallel. Nested indexes are rare, and are read in this thread, which
        # must not wait for a thread of its own pool.
        plain = list(dict.fromkeys(c for c in parsed.manifests if c.is_manifest and not c.is_index))
        found = self._pool.map(lambda child: self.part(child, depth + 1), plain)
        read = dict(zip(plain, found, strict=True))
        parts = [
            read[child] if child in read else self.part(child, depth + 1)
            for child in parsed.manifests
            if child.is_manifest
        ]
        content = {parsed.descriptor.digest: len(parsed.raw)}
        for part in parts:
            content |= part.content
        content |= {c.digest: c.size for c in parsed.manifests if not c.is_manifest}
        return Part(
            entry, parsed.artifact_type or "index", content, parts=_attach_attestations(parts)
        )


def _attach_attestations(parts: list[Part]) -> tuple[Part, ...]:
    """Attach attestations to the images that they attest."""
    noted = [part.descriptor.annotations.get(_ATTESTED, "") for part in parts]
    hosts = {str(p.descriptor.digest) for p, of in zip(parts, noted, strict=True) if not of}
    attested: dict[str, list[Part]] = {}
    for part, of in zip(parts, noted, strict=True):
        if of in hosts:
            attested.setdefault(of, []).append(part)
    return tuple(
        replace(part, parts=(*part.parts, *attested.get(str(part.descriptor.digest), ())))
        for part, of in zip(parts, noted, strict=True)
        if of not in hosts
    )


def _manifest(source: Source, entry: Descriptor, parsed: Manifest, own: dict[Digest, int]) -> Part:
    content = own | {child.digest: child.size for child in parsed.children}
    predicates = [layer.annotations.get(_PREDICATE, "") for layer in parsed.layers]
    if _ATTESTED in entry.annotations or any(predicates):
        return Part(entry, _attestation(predicates), content, len(parsed.layers))
    if not parsed.is_image:
        return Part(entry, parsed.kind, content, len(parsed.layers))
    platform = entry.platform
    if platform is None or platform.is_unknown:
        platform = ImageConfig.parse_any(read_metadata(source, parsed.config)).platform
    return Part(entry, platform.with_features, content, len(parsed.layers), is_image=True)


def _attestation(predicates: list[str]) -> str:
    names = dict.fromkeys(_predicate(text) for text in predicates if text)
    return f"attestation ({', '.join(names)})" if names else "attestation"


def _predicate(text: str) -> str:
    known = (name for start, name in _PREDICATES.items() if text.startswith(start))
    return next(known, text)
