"""Collect signatures, attestations and other referrers of an image into one tree.

Four mechanisms are in use: the registry's referrers API, its fallback tag, cosign's tags, and
buildx's entries in the index itself.
Sources: OCI distribution spec 1.1, "Listing Referrers" and "Referrers Tag Schema"; cosign's
specification, SIGNATURE_SPEC.md; Docker's documentation, "Image attestation storage".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.content.threads import thread_pool
from ghcrctl.errors import NetworkError, NotFoundError
from ghcrctl.oci.manifest import Index, parse
from ghcrctl.operations.registries.referrer_kinds import read_referrer_type, title_of
from ghcrctl.registry.mirrored_source import MirroredSource
from ghcrctl.registry.referrers import referrers_tag

if TYPE_CHECKING:
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.registry.resolver import RepositorySource

# A typical deepest chain: a signature of an attestation of an image of an index.
_MAX_DEPTH = 5
_COSIGN = {".sig": "signature", ".att": "attestation", ".sbom": "SBOM"}
_ATTESTED = "vnd.docker.reference.digest"


class Way(Enum):
    """How a manifest is attached to its parent."""

    ROOT = "root"
    PLATFORM = "platform"
    REFERRER = "referrer"
    COSIGN = "cosign tag"
    BUILDX = "buildx"


@dataclass(slots=True)
class Node:
    """One manifest of the tree.

    Args:
        descriptor: the manifest.
        way: how it is attached to its parent.
        kind: its artifact type, or a general word such as ``attestation``.
        title: a readable name of the artifact type, if known.
        children: the manifests attached to it.
    """

    descriptor: Descriptor
    way: Way
    kind: str = ""
    children: list[Node] = field(default_factory=list)
    title: str = ""

    @property
    def count(self) -> int:
        """The number of referrers below this node, without images and platforms."""
        own = (c.way not in {Way.ROOT, Way.PLATFORM} for c in self.children)
        return sum(own) + sum(child.count for child in self.children)


def referrers_tree(session: Session, reference: Reference, *, describe: bool = True) -> Node:
    """Collect the referrers of an image and of its platforms.

    Args:
        session: the run.
        reference: the image at its registry.
        describe: whether each referrer's own manifest is read for its type.

    Raises:
        NotFoundError: the image does not exist.
        RefusedError: the name is local.
    """
    repository = session.source(reference)
    root = Node(repository.resolve(reference.tagged().target), Way.ROOT)
    parsed = parse(read_metadata(repository, root.descriptor), root.descriptor.media_type)
    level = [root]
    if isinstance(parsed, Index):
        root.children = _in_index(parsed)
        level += [child for child in root.children if child.way is Way.PLATFORM]
    seen = {node.descriptor.digest for node in level}
    with thread_pool(session.jobs, "referrers") as pool:
        for depth in range(_MAX_DEPTH):
            found = pool.map(
                lambda node: _attached(repository, node, cosign=not depth, describe=describe),  # noqa: B023 used at once
                level,
            )
            for node, attached in zip(level, list(found), strict=True):
                node.children += [n for n in attached if n.descriptor.digest not in seen]
            level = [n for node in level for n in node.children if n.way in _FOLLOWED]
            level = [n for n in level if n.descriptor.digest not in seen]
            seen.update(node.descriptor.digest for node in level)
    return root


_FOLLOWED = {Way.REFERRER, Way.COSIGN, Way.BUILDX}


def _in_index(index: Index) -> list[Node]:
    """Return the images of an index, each with its buildx attestations."""
    images: dict[str, Node] = {}
    rest: list[Node] = []
    for entry in index.manifests:
        if _ATTESTED not in entry.annotations:
            platform = str(entry.platform or "")
            images[str(entry.digest)] = Node(entry, Way.PLATFORM, platform)
    for entry in index.manifests:
        if _ATTESTED in entry.annotations:
            node = Node(entry, Way.BUILDX, "attestation")
            image = images.get(entry.annotations[_ATTESTED])
            (image.children if image else rest).append(node)
    return [*images.values(), *rest]


def _attached(
    repository: RepositorySource, node: Node, *, cosign: bool, describe: bool
) -> list[Node]:
    digest = node.descriptor.digest
    listed = [
        _referrer(read_referrer_type(repository, found) if describe else found)
        for found in repository.referrers(digest)
    ]
    return listed + (_cosign(repository, digest) if cosign else [])


def _referrer(found: Descriptor) -> Node:
    kind = found.artifact_type or found.media_type
    return Node(found, Way.REFERRER, kind, title=title_of(found))


def _cosign(repository: RepositorySource, digest: Digest) -> list[Node]:
    found = []
    for suffix, kind in _COSIGN.items():
        tag = f"{referrers_tag(digest)}{suffix}"
        try:
            found.append(Node(repository.resolve(tag), Way.COSIGN, kind))
        except NotFoundError:
            continue
        except NetworkError:
            # Offline, only mirrors respond; `referrers` has already warned about that.
            if not isinstance(repository, MirroredSource):
                raise
    return found
