"""The manifest endpoints: check, read, push and delete.

Spec: OCI distribution spec 1.1, "Pulling manifests", "Pushing Manifests", "Deleting Manifests".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content
from ghcrctl.errors import (
    DigestMismatchError,
    InvalidManifestError,
    NotFoundError,
)
from ghcrctl.oci import manifest as manifests
from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import MAX_METADATA_SIZE
from ghcrctl.oci.reference import is_tag
from ghcrctl.server.blobs import Body
from ghcrctl.server.errors import RegistryError
from ghcrctl.server.responses import Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.manifest import Index, Manifest
    from ghcrctl.server.backend import Backend
    from ghcrctl.server.request import Request

_MOST_TAGS = 100


class ManifestEndpoints:
    """Handlers of the manifest endpoints."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def get(self, request: Request, repository: str, reference: str | Digest) -> Response:
        """Send a manifest."""
        descriptor = self._backend.resolve(repository, str(reference))
        headers = {
            "Content-Type": descriptor.media_type,
            "Content-Length": str(descriptor.size),
            "ETag": f'"{descriptor.digest}"',
            "Docker-Content-Digest": str(descriptor.digest),
        }
        if request.method == "HEAD":
            return Response(headers=headers)
        body = Body(self._backend.open(descriptor), descriptor.size)
        return Response(body, headers=headers, direct_passthrough=True)

    def put(self, request: Request, repository: str, reference: str | Digest) -> Response:
        """Store a manifest; its blobs and child manifests must exist."""
        raw = request.read_body(MAX_METADATA_SIZE)
        tags = [reference] if isinstance(reference, str) else _tags(request)
        parsed = _parse(raw, request.mimetype)
        descriptor = _identify(parsed, reference)
        self._check_children(repository, parsed)
        place = MemoryPlace("the request")
        place.put(descriptor, raw)
        for tag in tags or (None,):
            self._backend.name(repository, tag, Content(place, descriptor))
        extra_tags = [] if isinstance(reference, str) else tags
        return _created(repository, descriptor, parsed.subject, extra_tags)

    def delete(self, request: Request, repository: str, reference: str | Digest) -> Response:  # noqa: ARG002 one signature
        """Delete a tag, or a manifest and all of its tags."""
        if isinstance(reference, str):
            self._backend.untag(repository, reference)
        else:
            self._backend.delete(repository, reference)
        return Response(status=202)

    def _check_children(self, repository: str, parsed: Manifest | Index) -> None:
        missing = [
            child
            for child in parsed.children
            if not child.is_foreign and not self._has(repository, child)
        ]
        if missing:
            raise RegistryError(
                404,
                "MANIFEST_BLOB_UNKNOWN",
                "blobs or manifests that the manifest refers to are missing",
                detail=[{"digest": str(child.digest)} for child in missing],
            )

    def _has(self, repository: str, child: Descriptor) -> bool:
        try:
            if child.is_manifest:
                found = self._backend.resolve(repository, str(child.digest))
            else:
                found = self._backend.stat(repository, child.digest)
        except NotFoundError:
            return False
        return found.size == child.size


def _tags(request: Request) -> list[str]:
    """Return the tags in the query of a push by digest.

    Spec: OCI distribution spec after 1.1, "Pushing Manifests with Tags".
    """
    tags = list(dict.fromkeys(request.args.getlist("tag")))
    if len(tags) > _MOST_TAGS:
        raise RegistryError(414, "TAG_INVALID", f"a push can set at most {_MOST_TAGS} tags")
    for tag in tags:
        if not is_tag(tag):
            raise RegistryError(400, "TAG_INVALID", f"invalid tag `{tag}`")
    return tags


def _parse(raw: bytes, content_type: str) -> Manifest | Index:
    if content_type and content_type not in media_types.MANIFESTS | media_types.SCHEMA1:
        raise InvalidManifestError(f"unsupported manifest media type `{content_type}`")
    return manifests.parse(raw, content_type)


def _identify(parsed: Manifest | Index, reference: str | Digest) -> Descriptor:
    if isinstance(reference, str):
        return parsed.descriptor
    actual = Digest.of(parsed.raw, reference.algorithm)
    if actual != reference:
        raise DigestMismatchError(f"the digest of the manifest is {actual}, not {reference}")
    return replace(parsed.descriptor, digest=actual)


def _created(
    repository: str, descriptor: Descriptor, subject: Descriptor | None, tags: Sequence[str]
) -> Response:
    headers = {
        "Location": f"/v2/{repository}/manifests/{descriptor.digest}",
        "Docker-Content-Digest": str(descriptor.digest),
    }
    if subject:
        headers["OCI-Subject"] = str(subject.digest)
    if tags:
        headers["OCI-Tag"] = ", ".join(tags)
    return Response(status=201, headers=headers)
