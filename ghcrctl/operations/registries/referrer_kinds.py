"""Read the type of a referrer from its own manifest.

Lists of referrers repeat each manifest's type and annotations, but cosign and go-containerregistry
list the media type of the config instead of the artifact type. Reading the manifest avoids that.
Source: Sigstore, "Sigstore Bundle OCI Spec", annotations of bundles.
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


def read_referrer_type(source: Source, listed: Descriptor) -> Descriptor:
    """Return a listed descriptor with the type and annotations of its manifest.

    If the manifest cannot be read, the listed descriptor is returned unchanged.
    """
    try:
        own = parse(read_metadata(source, listed), listed.media_type)
    except (NotFoundError, AuthError, IntegrityError):
        return listed
    kind = own.kind if isinstance(own, Manifest) else own.artifact_type
    annotations = {**listed.annotations, **own.annotations}
    return replace(listed, artifact_type=kind or listed.artifact_type, annotations=annotations)


def title_of(referrer: Descriptor) -> str:
    """Return a readable name of a Sigstore bundle, or its predicate type; else an empty text."""
    predicate = referrer.annotations.get(_PREDICATE, "")
    known = (title for start, title in _TITLES.items() if predicate.startswith(start))
    return next(known, predicate)
