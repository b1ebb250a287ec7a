"""The registry as a WSGI application.

What belongs here: which method of which endpoint is whose, and the frame around each request:
common headers, errors, bodies that nobody read. What does not: the endpoints' own rules.

Spec: OCI distribution spec 1.1.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import GhcrctlError
from ghcrctl.server.blobs import BlobEndpoints
from ghcrctl.server.listing import ListEndpoints
from ghcrctl.server.manifests import ManifestEndpoints
from ghcrctl.server.request import Request
from ghcrctl.server.response import Refusal, Response, error_response, json_response, response_of
from ghcrctl.server.routing import find_route
from ghcrctl.server.staging import Staging
from ghcrctl.server.uploads import UploadEndpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ghcrctl.server.backend import Backend
    from ghcrctl.server.host_guard import HostGuard
    from ghcrctl.server.routing import Route

    Handler = Callable[[Request, Route], Response]

_COMMON = {"Docker-Distribution-Api-Version": "registry/2.0", "X-Content-Type-Options": "nosniff"}
# Unread body bytes to drain; if there are more, the connection is closed.
_MAX_DRAINED = 16 * 1024 * 1024
_log = logging.getLogger(__name__)


class RegistryApp:
    """The server side of the distribution spec over a place.

    Args:
        backend: the place.
        read_only: refuse everything that would change it.
        upload_dir: where unfinished uploads are kept; best on the place's own disk.
        page_size: entries of a list where the client names no number; ``None`` for all.
        owner: returns what ends the names of uploads' files, so that others know whose they are.
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
        self._read_only = read_only
        self._guard = guard
        self._staging = Staging(upload_dir, owner)
        blobs = BlobEndpoints(backend)
        uploads = UploadEndpoints(backend, self._staging)
        manifests = ManifestEndpoints(backend)
        lists = ListEndpoints(backend, page_size)
        self._handlers: dict[str, dict[str, Handler]] = {
            "base": {"GET": _base},
            "catalog": {"GET": lists.catalog},
            "tags": {"GET": lists.tags},
            "referrers": {"GET": lists.referrers},
            "blob": {"GET": blobs.get, "DELETE": blobs.delete},
            "manifest": {
                "GET": manifests.get,
                "PUT": manifests.put,
                "DELETE": manifests.delete,
            },
            "uploads": {"POST": uploads.begin},
            "upload": {
                "GET": uploads.status,
                "PATCH": uploads.append,
                "PUT": uploads.finish,
                "DELETE": uploads.cancel,
            },
        }

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., object]
    ) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        request = Request(environ)
        response = self._respond(request)
        headers = {**_COMMON, **response.headers}
        if not request.drain(_MAX_DRAINED):
            headers["Connection"] = "close"
        start_response(response.status_line, list(headers.items()))
        return () if request.method == "HEAD" else response.body

    def close(self) -> None:
        """Forget unfinished uploads."""
        self._staging.close()

    def _respond(self, request: Request) -> Response:
        try:
            if self._guard:
                self._guard.check(request)
            self._staging.expire()
            route = find_route(request.path)
            return self._handler(request, route)(request, route)
        except Refusal as refusal:
            return refusal.response
        except GhcrctlError as error:
            return response_of(error)
        except Exception:  # noqa: BLE001 logged; the client hears of it as 500
            _log.exception("%s %s failed", request.method, request.path)
            return error_response(500, "UNKNOWN", "the server failed")

    def _handler(self, request: Request, route: Route) -> Handler:
        methods = self._handlers[route.endpoint]
        allowed = [m for m in methods if m == "GET" or not self._read_only]
        method = "GET" if request.method == "HEAD" else request.method
        if method not in allowed:
            why = "the registry is read-only" if method in methods else "unsupported method"
            allow = {"Allow": ", ".join([*allowed, *(["HEAD"] if "GET" in allowed else [])])}
            raise Refusal(405, "UNSUPPORTED", why, headers=allow)
        return methods[method]


def _base(request: Request, route: Route) -> Response:  # noqa: ARG001 one signature
    return json_response({})
