"""The platforms of an image: what each takes, and how much of it is here.

What belongs here: reading all manifests below a root, and telling images from what attests them.
What does not: drawing (``cli``).

Source of attestations' form: Docker's documentation, "Image attestation storage".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.content.threads import ThreadPool, threads
from ghcrctl.errors import InvalidManifestError
from ghcrctl.oci.config import ImageConfig
from ghcrctl.oci.manifest import Manifest, parse
from ghcrctl.operations.images.inspect import place_of_image

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
    """A manifest or an index of an image, and what hangs on it.

    Args:
        descriptor: it.
        what: its platform, or what it is; of an attestation, what it attests.
        content: all that it needs, itself included; bytes by digest, as stored and moved.
        layers: how many it has.
        is_image: whether it is a container image, and no attestation, artifact or index.
        parts: of an index its images, of an image its attestations.
    """

    descriptor: Descriptor
    what: str
    content: dict[Digest, int] = field(repr=False)
    layers: int = 0
    is_image: bool = False
    parts: tuple[Part, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all that it needs, each piece once."""
        return sum(self.content.values())

    def images(self) -> list[Part]:
        """Return the container images in it, in their order."""
        found = [self] if self.is_image else []
        return found + [image for part in self.parts for image in part.images()]


@dataclass(frozen=True, slots=True)
class PlatformRow:
    """A platform of an image.

    Args:
        name: the image, as it was asked for.
        platform: what it is for.
        descriptor: the image for it.
        size: bytes of all that it needs, as stored and moved.
        here: bytes of that which the local store has.
        layers: how many it has.
    """

    name: str
    platform: str
    descriptor: Descriptor
    size: int
    here: int
    layers: int

    @property
    def to_pull(self) -> int:
        """Bytes that a pull would move."""
        return self.size - self.here


def platform_rows(session: Session, text: str, *, is_remote: bool) -> list[PlatformRow]:
    """List the platforms of an image, what each takes, and how much of it is here.

    Args:
        session: the run.
        text: a name; for a local image also a digest or an ID.
        is_remote: whether the registry is asked, and not the local store.

    Raises:
        NotFoundError: there is no such image.
    """
    source, root = place_of_image(session, text, is_remote=is_remote)
    return [
        PlatformRow(text, part.what, part.descriptor, part.size, here(session, part), part.layers)
        for part in parts_of(session, source, root).images()
    ]


def parts_of(session: Session, source: Source, root: Descriptor) -> Part:
    """Read all manifests of an image, those of an index at once.

    Args:
        session: the run.
        source: where they are.
        root: a manifest or an index.

    Raises:
        InvalidManifestError: one is not what it should be.
    """
    with threads(session.jobs, "manifests") as pool:
        return _Reader(source, pool).part(root, 0)


def here(session: Session, part: Part) -> int:
    """Return how many bytes of a part the local store has."""
    blobs = session.store.blobs
    return sum(size for digest, size in part.content.items() if blobs.size(digest) == size)


class _Reader:
    """Reads the manifests below one root; an index that is listed again is not gone into again."""

    def __init__(self, source: Source, pool: ThreadPool) -> None:
        self._source = source
        self._pool = pool
        self._indexes: dict[Digest, Part] = {}

    def part(self, entry: Descriptor, depth: int) -> Part:
        """Read one entry and all below it."""
        if depth > _MAX_DEPTH:
            raise InvalidManifestError(f"indexes are nested more than {_MAX_DEPTH} deep")
        if entry.digest in self._indexes:
            # Drawing it again and again would never end where indexes list the same indexes.
            return replace(self._indexes[entry.digest], descriptor=entry, parts=())
        parsed = parse(read_metadata(self._source, entry), entry.media_type)
        if isinstance(parsed, Manifest):
            own = {parsed.descriptor.digest: len(parsed.raw)}
            return _manifest(self._source, entry, parsed, own)
        made = self._index(entry, parsed, depth)
        self._indexes[entry.digest] = made
        return made

    def _index(self, entry: Descriptor, parsed: Index, depth: int) -> Part:
        # Manifests at once; an index in an index is rare, and waits for none of this pool's
        # threads.
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
        return Part(entry, parsed.artifact_type or "index", content, parts=_nested(parts))


def _nested(parts: list[Part]) -> tuple[Part, ...]:
    """Hang attestations on the images that they attest."""
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
