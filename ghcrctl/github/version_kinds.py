"""Classifies versions, such as image, index, signature or SBOM.

Sources: OCI image spec 1.1; Docker's documentation, "Image attestation storage"; cosign's
SIGNATURE_SPEC.md; the artifact types that cosign, notation, GitHub's attestations and SBOM tools
register.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ghcrctl.github.graph import Graph

KINDS = (
    "image", "index", "platform", "attestation", "signature", "SBOM", "referrers", "cache",
    "artifact", "unreadable",
)  # fmt: skip
_SUFFIXES = {".sig": "signature", ".att": "attestation", ".sbom": "SBOM"}
_TYPES = (
    ("cosign.artifact.sig", "signature"),
    ("cosign.simplesigning", "signature"),
    ("notary.signature", "signature"),
    ("sigstore.bundle", "attestation"),
    ("in-toto", "attestation"),
    ("dsse.envelope", "attestation"),
    ("spdx", "SBOM"),
    ("cyclonedx", "SBOM"),
    ("syft", "SBOM"),
)


def kind_of(graph: Graph, digest: str) -> str:
    """Return the kind of a version, one of `KINDS`."""
    facts = graph.facts.get(digest)
    if facts is None:
        return "unreadable"
    if facts.is_cache:
        return "cache"
    parents = [graph.facts[parent] for parent in graph.parents.get(digest, ())]
    entries = [child for parent in parents for child in parent.children if child.digest == digest]
    if any(entry.attests for entry in entries):
        return "attestation"
    kind = _by_type(facts.kind) or _by_tag(graph, digest)
    if kind or facts.kind:
        return kind or "artifact"
    if facts.is_index:
        return "index"
    return "platform" if entries and not graph.own_tags(digest) else "image"


def platforms_of(graph: Graph, digest: str) -> list[str]:
    """Return the platforms that an index contains, or under which indexes list a manifest."""
    facts = graph.facts.get(digest)
    entries = [*facts.children] if facts else []
    for parent in graph.parents.get(digest, ()):
        entries += [child for child in graph.facts[parent].children if child.digest == digest]
    return list(dict.fromkeys(entry.platform for entry in entries if entry.platform))


def _by_tag(graph: Graph, digest: str) -> str:
    version = graph.versions.get(digest)
    for tag in version.tags if version else ():
        if graph.subject_named(digest, tag):
            suffix = f".{tag.rpartition('.')[2]}" if "." in tag else ""
            if suffix in _SUFFIXES:
                return _SUFFIXES[suffix]
            return "referrers" if graph.facts[digest].is_index else ""
    return ""


def _by_type(kind: str) -> str:
    return next((word for part, word in _TYPES if part in kind), "")
