"""Referrers for registries that have no referrers API, such as ghcr.io.

Clients maintain an index under the tag ``sha256-<hex>`` instead.

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
    """Return the tag that lists the referrers of a digest."""
    return f"{subject.algorithm}-{subject.encoded}"


def list_referrers(client: RegistryClient, repository: str, subject: Digest) -> list[Descriptor]:
    """Return the referrers of a manifest, from the registry's API or the fallback tag.

    If the API returns nothing, the fallback tag may list referrers that were pushed before the
    registry supported the API.
    """
    listed = client.referrers(repository, subject)
    if listed:
        return listed
    try:
        entries = _listed(client, repository, subject)
    except (AuthError, IntegrityError, UnsupportedError):
        if listed is None:
            raise
        # A registry with the API need not have such a tag, or a valid index under it.
        return []
    found = (Descriptor.from_json(entry) for entry in entries)
    return list({descriptor.digest: descriptor for descriptor in found}.values())


def add_referrer(client: RegistryClient, repository: str, referrer: Manifest | Index) -> None:
    """Add a pushed manifest to the list of referrers under its subject's fallback tag.

    Raises:
        InvalidManifestError: the tag does not point to an index; it is not changed.
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
    """Return the entries of the index under the fallback tag.

    Without such an index, GitLab resolves the tag to the subject itself; if that is an index, its
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
        raise InvalidManifestError(
            f"cannot read the referrers of {subject}: the tag `{tag}` of {repository} is not an "
            "index"
        )
    entries: list[dict[str, Any]] = json.loads(found.raw).get("manifests") or []
    return entries
