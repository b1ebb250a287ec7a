"""The registry as a WSGI application.

Spec: OCI distribution spec 1.1.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException

from ghcrctl.errors import GhcrctlError
from ghcrctl.server.blobs import BlobEndpoints
from ghcrctl.server.errors import RegistryError, to_response
from ghcrctl.server.lists import ListEndpoints
from ghcrctl.server.manifests import ManifestEndpoints
from ghcrctl.server.request import Request
from ghcrctl.server.responses import json_response
from ghcrctl.server.router import Router
from ghcrctl.server.staged_uploads import StagedUploads
from ghcrctl.server.uploads import UploadEndpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from ghcrctl.server.backend import Backend
    from ghcrctl.server.host_guard import HostGuard
    from ghcrctl.server.responses import Response
    from ghcrctl.server.router import Handler

_COMMON = {"Docker-Distribution-Api-Version": "registry/2.0", "X-Content-Type-Options": "nosniff"}
# Unread body bytes to drain; if there are more, the connection is closed.
_MAX_DRAINED = 16 * 1024 * 1024
_REPOSITORY = "/v2/<repository:repository>"
_log = logging.getLogger(__name__)


class RegistryApp:
    """A registry that implements the distribution spec over a backend.

    Args:
        backend: storage of the content.
        read_only: refuse pushes and deletions.
        upload_dir: directory for unfinished uploads; best on the backend's own disk.
        page_size: entries per page if the client does not specify it; ``None`` for no limit.
        owner: returns the suffix of the names of upload files, which identifies their process.
        guard: refuses requests that are not meant for this server.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        read_only: bool = False,
        upload_dir: Path,
        page_size: int | None = None,
        owner: Callable[[], str] = lambda: "",
        guard: HostGuard | None = None,
    ) -> None:
        self._guard = guard
        self._staged = StagedUploads(upload_dir, owner)
        handlers = _handlers(backend, self._staged, page_size)
        self._router = Router(handlers, read_only=read_only)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Respond to one request (PEP 3333)."""
        request = Request(environ, populate_request=False)
        response = self._respond(request)
        response.headers.update(_COMMON)
        if not request.drain(_MAX_DRAINED):
            response.headers["Connection"] = "close"
        return response(environ, start_response)

    def close(self) -> None:
        """Delete unfinished uploads."""
        self._staged.close()

    def _respond(self, request: Request) -> Response:
        try:
            if self._guard:
                self._guard.check(request)
            self._staged.expire()
            return self._router.dispatch(request)
        except (RegistryError, GhcrctlError, HTTPException) as error:
            return to_response(error)
        except Exception as error:  # noqa: BLE001 logged, and the client receives 500
            _log.exception("%s %s failed", request.method, request.path)
            return to_response(error)


def _handlers(
    backend: Backend, staged: StagedUploads, page_size: int | None
) -> Mapping[str, Mapping[str, Handler]]:
    blobs = BlobEndpoints(backend)
    uploads = UploadEndpoints(backend, staged)
    manifests = ManifestEndpoints(backend)
    lists = ListEndpoints(backend, page_size)
    return {
        "/v2/": {"GET": _base},
        "/v2/_catalog": {"GET": lists.catalog},
        f"{_REPOSITORY}/tags/list": {"GET": lists.tags},
        f"{_REPOSITORY}/referrers/<digest:digest>": {"GET": lists.referrers},
        f"{_REPOSITORY}/blobs/<digest:digest>": {"GET": blobs.get, "DELETE": blobs.delete},
        f"{_REPOSITORY}/manifests/<reference:reference>": {
            "GET": manifests.get,
            "PUT": manifests.put,
            "DELETE": manifests.delete,
        },
        f"{_REPOSITORY}/blobs/uploads": {"POST": uploads.start},
        f"{_REPOSITORY}/blobs/uploads/": {"POST": uploads.start},
        f"{_REPOSITORY}/blobs/uploads/<upload_id>": {
            "GET": uploads.status,
            "PATCH": uploads.append,
            "PUT": uploads.finish,
            "DELETE": uploads.cancel,
        },
    }


def _base(request: Request) -> Response:  # noqa: ARG001 one signature
    return json_response({})
