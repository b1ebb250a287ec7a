"""Referrers where a registry does not list them itself, as ghcr.io does not.

What belongs here: the index under the tag ``sha256-<hex>`` that clients keep in its place.
Spec: OCI distribution spec 1.1, "Referrers Tag Schema".
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import (
    AuthError,
    IntegrityError,
    InvalidManifestError,
    NotFoundError,
    UnsupportedError,
)
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import Index, Manifest, parse
from ghcrctl.oci.media_types import OCI_INDEX

if TYPE_CHECKING:
    from ghcrctl.registry.client import RegistryClient


def referrers_tag(subject: Digest) -> str:
    """Return the tag under which the referrers of a digest are listed."""
    return f"{subject.algorithm}-{subject.encoded}"


def list_referrers(client: RegistryClient, repository: str, subject: Digest) -> list[Descriptor]:
    """Return the referrers of a manifest, from the registry's API and from the fallback tag.

    An empty list of the API may lack referrers from before the registry supported it.
    """
    listed = client.referrers(repository, subject)
    if listed:
        return listed
    try:
        entries = _listed(client, repository, subject)
    except (AuthError, IntegrityError, UnsupportedError):
        if listed is None:
            raise
        # A registry that lists referrers need not have any such tag, nor a list under it.
        return []
    found = (Descriptor.from_json(entry) for entry in entries)
    return list({descriptor.digest: descriptor for descriptor in found}.values())


def add_referrer(client: RegistryClient, repository: str, referrer: Manifest | Index) -> None:
    """List a manifest that was pushed among the referrers of its subject; others stay listed.

    Raises:
        InvalidManifestError: something else than an index has the tag; it is left alone.
    """
    if referrer.subject is None:
        return
    tag = referrers_tag(referrer.subject.digest)
    entries = _listed(client, repository, referrer.subject.digest)
    digest = str(referrer.descriptor.digest)
    if any(entry.get("digest") == digest for entry in entries):
        return
    kind = referrer.kind if isinstance(referrer, Manifest) else referrer.artifact_type
    described = replace(
        referrer.descriptor, artifact_type=kind, annotations=dict(referrer.annotations)
    )
    index = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [*entries, described.to_json()],
    }
    client.put_manifest(repository, tag, json.dumps(index).encode(), OCI_INDEX)


def _listed(client: RegistryClient, repository: str, subject: Digest) -> list[dict[str, Any]]:
    """Return the entries of the list under the tag.

    GitLab resolves the tag to the subject itself if there is no list; if that is an index, its
    entries are not referrers.
    """
    tag = referrers_tag(subject)
    try:
        found = client.get_manifest(repository, tag)
    except NotFoundError:
        return []
    if Digest.of(found.raw, subject.algorithm) == subject:
        return []
    if not isinstance(parse(found.raw, found.media_type), Index):
        raise InvalidManifestError(f"the tag `{tag}` of {repository} is no list of referrers")
    entries: list[dict[str, Any]] = json.loads(found.raw).get("manifests") or []
    return entries
