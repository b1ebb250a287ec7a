"""The type of a referrer, read from its own manifest.

Lists of referrers repeat the type and the annotations of each manifest, but cosign and
go-containerregistry write the media type of its config in place of the artifact type. So the
manifest itself is read. Source: Sigstore, "Sigstore Bundle OCI Spec": annotations of bundles.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import AuthError, IntegrityError, NotFoundError
from ghcrctl.oci.manifest import Manifest, parse

if TYPE_CHECKING:
    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor

_PREDICATE = "dev.sigstore.bundle.predicateType"
_TITLES = {
    "https://slsa.dev/provenance/": "SLSA provenance",
    "https://slsa.dev/verification_summary/": "SLSA verification summary",
    "https://spdx.dev/Document": "SPDX SBOM",
    "https://cyclonedx.org/bom": "CycloneDX SBOM",
    "https://sigstore.dev/cosign/sign/": "signature",
    "https://cosign.sigstore.dev/attestation/vuln/": "vulnerability scan",
    "https://cosign.sigstore.dev/attestation/": "attestation",
    "https://in-toto.io/attestation/vulns/": "vulnerability scan",
    "https://in-toto.io/attestation/release/": "release attestation",
    "https://in-toto.io/attestation/test-result/": "test result",
}


def describe_referrer(source: Source, listed: Descriptor) -> Descriptor:
    """Return a listed manifest with the type and annotations that it has itself.

    Where it cannot be read, the list is all that is known.
    """
    try:
        own = parse(read_metadata(source, listed), listed.media_type)
    except (NotFoundError, AuthError, IntegrityError):
        return listed
    kind = own.kind if isinstance(own, Manifest) else own.artifact_type
    annotations = {**listed.annotations, **own.annotations}
    return replace(listed, artifact_type=kind or listed.artifact_type, annotations=annotations)


def title_of(referrer: Descriptor) -> str:
    """Return a readable name of a Sigstore bundle, or its predicate type; empty for all else."""
    predicate = referrer.annotations.get(_PREDICATE, "")
    known = (title for start, title in _TITLES.items() if predicate.startswith(start))
    return next(known, predicate)
