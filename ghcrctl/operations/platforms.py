"""The platforms of an image: what each takes, and how much of it is here.

What belongs here: reading all manifests below a root, and telling images from what attests them.
What does not: drawing (``cli``).

Source of attestations' form: Docker's documentation, "Image attestation storage".
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import InvalidManifestError
from ghcrctl.oci.config import ImageConfig
from ghcrctl.oci.manifest import Manifest, parse

if TYPE_CHECKING:
    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.session import Session

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


def parts_of(session: Session, source: Source, root: Descriptor) -> Part:
    """Read all manifests of an image, those of an index at once.

    Args:
        session: the run.
        source: where they are.
        root: a manifest or an index.

    Raises:
        InvalidManifestError: one is not what it should be.
    """
    with ThreadPoolExecutor(session.jobs, "manifests") as pool:
        return _part(source, root, pool, 0)


def here(session: Session, part: Part) -> int:
    """Return how many bytes of a part the local store has."""
    blobs = session.store.blobs
    return sum(size for digest, size in part.content.items() if blobs.size(digest) == size)


def _part(source: Source, entry: Descriptor, pool: ThreadPoolExecutor, depth: int) -> Part:
    if depth > _MAX_DEPTH:
        raise InvalidManifestError(f"indexes are nested more than {_MAX_DEPTH} deep")
    parsed = parse(read_metadata(source, entry), entry.media_type)
    own = {parsed.descriptor.digest: len(parsed.raw)}
    if isinstance(parsed, Manifest):
        return _manifest(source, entry, parsed, own)
    # Manifests at once; an index in an index is rare, and waits for none of this pool's threads.
    plain = [c for c in parsed.manifests if c.is_manifest and not c.is_index]
    read = dict(
        zip(plain, pool.map(lambda c: _part(source, c, pool, depth + 1), plain), strict=True)
    )
    parts = [
        read[child] if child in read else _part(source, child, pool, depth + 1)
        for child in parsed.manifests
        if child.is_manifest
    ]
    content = own | {d: size for part in parts for d, size in part.content.items()}
    content |= {c.digest: c.size for c in parsed.manifests if not c.is_manifest}
    return Part(entry, parsed.artifact_type or "index", content, parts=_nested(parts))


def _nested(parts: list[Part]) -> tuple[Part, ...]:
    """Hang attestations on the images that they attest."""
    attested: dict[str, list[Part]] = {}
    for part in parts:
        attested.setdefault(part.descriptor.annotations.get(_ATTESTED, ""), []).append(part)
    known = {str(part.descriptor.digest) for part in parts}
    loose = [part for of, found in attested.items() if of not in known for part in found]
    return tuple(
        replace(part, parts=(*part.parts, *attested.get(str(part.descriptor.digest), ())))
        for part in parts
        if part in loose
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
        platform = ImageConfig.parse(read_metadata(source, parsed.config)).platform
    return Part(entry, str(platform), content, len(parsed.layers), is_image=True)


def _attestation(predicates: list[str]) -> str:
    names = dict.fromkeys(_predicate(text) for text in predicates if text)
    return f"attestation ({', '.join(names)})" if names else "attestation"


def _predicate(text: str) -> str:
    known = (name for start, name in _PREDICATES.items() if text.startswith(start))
    return next(known, text)
