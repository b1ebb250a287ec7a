"""The endpoints of manifests: ask for, read, push, delete.

Spec: OCI distribution spec 1.1, "Pulling manifests", "Pushing Manifests", "Deleting Manifests".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace
from ghcrctl.content.streams import Content
from ghcrctl.errors import (
    DigestMismatchError,
    InvalidManifestError,
    ManifestUnknownError,
    NotFoundError,
)
from ghcrctl.oci import manifest as manifests
from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import MAX_METADATA_SIZE
from ghcrctl.server.blobs import Body
from ghcrctl.server.response import Refusal, Response, empty
from ghcrctl.server.routing import is_tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.manifest import Index, Manifest
    from ghcrctl.server.backend import Backend
    from ghcrctl.server.request import Request
    from ghcrctl.server.routing import Route

_MOST_TAGS = 100


class ManifestEndpoints:
    """What can be done to a manifest by a tag or its digest."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def get(self, request: Request, route: Route) -> Response:
        """Send a manifest; for HEAD the headers alone."""
        _target(route.last)
        descriptor = self._backend.resolve(route.repository, route.last)
        headers = {
            "Content-Type": descriptor.media_type,
            "Content-Length": str(descriptor.size),
            "ETag": f'"{descriptor.digest}"',
            "Docker-Content-Digest": str(descriptor.digest),
        }
        if request.method == "HEAD":
            return Response(200, headers)
        return Response(200, headers, Body(self._backend.open(descriptor), descriptor.size))

    def put(self, request: Request, route: Route) -> Response:
        """Receive a manifest whose children are there."""
        target = _target(route.last)
        raw = request.read(MAX_METADATA_SIZE)
        if raw is None:
            limit = f"manifests may have {MAX_METADATA_SIZE} bytes"
            raise Refusal(413, "MANIFEST_INVALID", limit)
        tags = _tags(request) if target else [route.last]
        parsed = _parse(raw, request.content_type)
        descriptor = _identify(parsed, target)
        self._check_children(route.repository, parsed)
        place = MemoryPlace("the request")
        place.put(descriptor, raw)
        for tag in tags or (None,):
            self._backend.name(route.repository, tag, Content(place, descriptor))
        return _created(route.repository, descriptor, parsed.subject, tags if target else [])

    def delete(self, request: Request, route: Route) -> Response:  # noqa: ARG002 one signature
        """Delete a tag, or a manifest with all of its tags."""
        target = _target(route.last)
        if target:
            self._backend.delete(route.repository, target)
        else:
            self._backend.untag(route.repository, route.last)
        return empty(202)

    def _check_children(self, repository: str, parsed: Manifest | Index) -> None:
        missing = [
            child
            for child in parsed.children
            if not child.is_foreign and not self._has(repository, child)
        ]
        if missing:
            raise Refusal(
                404,
                "MANIFEST_BLOB_UNKNOWN",
                "the manifest refers to what is not here",
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


def _target(text: str) -> Digest | None:
    """Return the digest that a reference is, ``None`` where it is a tag.

    Raises:
        InvalidDigestError: it looks like a digest and is none.
        ManifestUnknownError: it is neither.
    """
    if ":" in text:
        return Digest.parse(text)
    if not is_tag(text):
        raise ManifestUnknownError(f"invalid tag `{text}`")
    return None


def _tags(request: Request) -> list[str]:
    """Return the tags that a push by digest asks for (spec after 1.1, "Pushing Manifests")."""
    tags = list(dict.fromkeys(request.queries.get("tag", ())))
    if len(tags) > _MOST_TAGS:
        raise Refusal(414, "TAG_INVALID", f"one push can set at most {_MOST_TAGS} tags")
    for tag in tags:
        if not is_tag(tag):
            raise Refusal(400, "TAG_INVALID", f"invalid tag `{tag}`")
    return tags


def _parse(raw: bytes, content_type: str) -> Manifest | Index:
    if content_type and content_type not in media_types.MANIFESTS | media_types.SCHEMA1:
        raise InvalidManifestError(f"`{content_type}` is no type of a manifest")
    return manifests.parse(raw, content_type)


def _identify(parsed: Manifest | Index, target: Digest | None) -> Descriptor:
    if target is None:
        return parsed.descriptor
    actual = Digest.of(parsed.raw, target.algorithm)
    if actual != target:
        raise DigestMismatchError(f"the manifest is {actual}, not {target}")
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
    return empty(201, headers)
