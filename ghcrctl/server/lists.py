"""The endpoints that list tags, repositories and referrers.

Spec: OCI distribution spec 1.1, "Listing Tags", "Listing Referrers"; for ``_catalog``, the Docker
Registry HTTP API V2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ghcrctl.oci import media_types
from ghcrctl.oci.numbers import whole_number
from ghcrctl.server.errors import RegistryError
from ghcrctl.server.responses import json_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.oci.digest import Digest
    from ghcrctl.server.backend import Backend
    from ghcrctl.server.request import Request
    from ghcrctl.server.responses import Response


class ListEndpoints:
    """Handlers of the list endpoints.

    Args:
        backend: storage to list.
        page_size: entries per page if the client does not specify it; ``None`` for no limit.
    """

    def __init__(self, backend: Backend, page_size: int | None = None) -> None:
        self._backend = backend
        self._page_size = page_size

    def tags(self, request: Request, repository: str) -> Response:
        """Send a page of tags."""
        page, headers = self._page(request, self._backend.tags(repository))
        return json_response({"name": repository, "tags": page}, headers=headers)

    def catalog(self, request: Request) -> Response:
        """Send a page of repository names."""
        page, headers = self._page(request, self._backend.repositories())
        return json_response({"repositories": page}, headers=headers)

    def referrers(self, request: Request, repository: str, digest: Digest) -> Response:
        """Send an index of the referrers of a digest; it is empty if there are none."""
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
        """Return a page of a sorted list, and a ``Link`` header if there is another page."""
        last = request.args.get("last", "")
        left = [entry for entry in entries if entry > last]
        text = request.args.get("n", "")
        limit = whole_number(text) if text else self._page_size
        if text and limit is None:
            raise RegistryError(400, "PAGINATION_NUMBER_INVALID", "invalid `n`: expected a number")
        if limit is None or limit >= len(left):
            return left, {}
        page = left[:limit]
        if not page:
            return page, {}
        query = urlencode({"last": page[-1], "n": limit})
        return page, {"Link": f'<{request.path}?{query}>; rel="next"'}
