"""The endpoints that list: tags, repositories, referrers.

Spec: OCI distribution spec 1.1, "Listing Tags", "Listing Referrers"; ``_catalog`` is docker's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ghcrctl.oci import media_types
from ghcrctl.oci.numbers import whole_number
from ghcrctl.server.errors import RegistryError
from ghcrctl.server.response import json_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.oci.digest import Digest
    from ghcrctl.server.backend import Backend
    from ghcrctl.server.request import Request
    from ghcrctl.server.response import Response


class ListEndpoints:
    """What can be listed.

    Args:
        backend: the place.
        page_size: entries where the client names no number; ``None`` for all of them.
    """

    def __init__(self, backend: Backend, page_size: int | None = None) -> None:
        self._backend = backend
        self._page_size = page_size

    def tags(self, request: Request, repository: str) -> Response:
        """List a page of tags."""
        page, headers = self._page(request, self._backend.tags(repository))
        return json_response({"name": repository, "tags": page}, headers=headers)

    def catalog(self, request: Request) -> Response:
        """List a page of repositories."""
        page, headers = self._page(request, self._backend.repositories())
        return json_response({"repositories": page}, headers=headers)

    def referrers(self, request: Request, repository: str, digest: Digest) -> Response:
        """List what refers to a digest: an index, maybe an empty one, never 404."""
        found = self._backend.referrers(repository, digest)
        headers = {}
        wanted = request.args.get("artifactType", "")
        if wanted:
            found = [entry for entry in found if entry.artifact_type == wanted]
            headers["OCI-Filters-Applied"] = "artifactType"
        index = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_INDEX,
            "manifests": [entry.to_json() for entry in found],
        }
        return json_response(index, content_type=media_types.OCI_INDEX, headers=headers)

    def _page(
        self, request: Request, entries: Sequence[str]
    ) -> tuple[Sequence[str], dict[str, str]]:
        """Cut a page out of a sorted list, with the link to the next one where there is one."""
        last = request.args.get("last", "")
        left = [entry for entry in entries if entry > last]
        text = request.args.get("n", "")
        limit = whole_number(text) if text else self._page_size
        if text and limit is None:
            raise RegistryError(400, "PAGINATION_NUMBER_INVALID", "`n` is no number")
        if limit is None or limit >= len(left):
            return left, {}
        page = left[:limit]
        if not page:
            return page, {}
        query = urlencode({"last": page[-1], "n": limit})
        return page, {"Link": f'<{request.path}?{query}>; rel="next"'}
