"""The differences between ghcr.io and the specification, as a layer over a standard application."""

from __future__ import annotations

import re
import secrets
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.registry_double import wsgi
from tests.registry_double.tokens import Authority, Grant
from tests.registry_double.wsgi import Answer, Environ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CHUNK_LIMIT = 4 * 1024 * 1024
_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>blobs|manifests|tags|referrers)/(?P<last>.+)\Z")
_TOO_LARGE = "the request body is too large and exceeds the maximum permissible limit of 4.00MiB"
_TOO_MANY = "retry-after: 880.092µs, allowed: 44000/minute"


@dataclass(slots=True)
class Moods:
    """What ghcr.io does at times, on demand.

    Args:
        denials: the message of the 403 that each writing request to a repository gets.
        rate_limited: number of the next requests that are rate limited.
        lag: how many reads miss what was just written.
        expired: how many of the next signed addresses are refused.
        referrers: how the referrers endpoint says that there is none.
    """

    denials: dict[str, str] = field(default_factory=dict)
    rate_limited: int = 0
    lag: int = 0
    expired: int = 0
    referrers: Literal["redirect", "missing"] = "redirect"
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, mood: Literal["rate_limited", "expired"]) -> bool:
        """Check whether a mood applies to this request; each counts once, from any thread."""
        with self._lock:
            left: int = getattr(self, mood)
            setattr(self, mood, max(0, left - 1))
        return left > 0


class Ghcr:
    """The registry host.

    Args:
        app: what follows the specification.
        authority: who may do what.
        moods: what happens on demand.
    """

    def __init__(
        self, app: Callable[..., Iterable[bytes]], authority: Authority, moods: Moods
    ) -> None:
        self._app = app
        self._authority = authority
        self._moods = moods
        self._lock = threading.Lock()
        self._hidden: dict[tuple[str, str], int] = {}
        self.signatures: dict[str, str] = {}
        self.downloads: Counter[str] = Counter()
        self.url = ""
        self.storage_url = ""

    def handle(self, environ: Environ) -> Answer:
        answer = self._handle(environ)
        # A refusal does not read the body; the next request must not start inside it.
        wsgi.drain(environ)
        return answer

    def _handle(self, environ: Environ) -> Answer:
        path = environ["PATH_INFO"]
        if path == "/token":
            return self._authority.answer_token(environ)
        if self._moods.take("rate_limited"):
            return wsgi.error(429, "TOOMANYREQUESTS", _TOO_MANY)
        match = _PATH.match(path)
        refused = self._refused(environ) or (self._unsupported(environ, match) if match else None)
        if refused:
            return refused
        if match and match["kind"] == "blobs":
            return self._blob(environ, match["name"], match["last"])
        if match and match["kind"] == "manifests":
            return self._manifest(environ, match["name"], match["last"])
        return self._call(environ)

    def _unsupported(self, environ: Environ, match: re.Match[str]) -> Answer | None:
        """Return the response for missing or not yet visible content."""
        name, kind, last = match["name"], match["kind"], match["last"]
        method = environ["REQUEST_METHOD"]
        if kind == "referrers":
            return self._no_referrers(name, last)
        if method == "DELETE" and not last.startswith("uploads/"):
            return wsgi.error(405, "UNSUPPORTED", "The operation is unsupported.")
        if method in {"GET", "HEAD"} and self._lags(name, last):
            code = "MANIFEST_UNKNOWN" if kind == "manifests" else "BLOB_UNKNOWN"
            return wsgi.error(404, code, "unknown")
        return None

    def _call(self, environ: Environ) -> Answer:
        return wsgi.call(self._app, environ)

    # Permission

    def _refused(self, environ: Environ) -> Answer | None:
        """Return the 401 or 403 for a request, if it is refused."""
        path, writes = environ["PATH_INFO"], environ["REQUEST_METHOD"] not in {"GET", "HEAD"}
        match = _PATH.match(path)
        name = match["name"] if match else "user/image"
        grant = self._authority.grant_of(str(environ.get("HTTP_AUTHORIZATION", "")))
        if isinstance(grant, Answer):
            return grant
        if path == "/v2/_catalog":
            return wsgi.error(403 if grant else 401, "DENIED", "requested access is denied")
        if grant is None:
            return self._challenge(name, writes=writes)
        if not match:
            return None
        if writes and name in self._moods.denials:
            return wsgi.error(403, "DENIED", self._moods.denials[name])
        needed = "push" if writes else "pull"
        return None if self._permits(grant, name, needed) else self._challenge(name, writes=writes)

    def _permits(self, grant: Grant, name: str, action: str) -> bool:
        if ("*", "*") in grant.scopes:
            return self._authority.allows(grant.user, name, action)
        return (name, action) in grant.scopes

    def _challenge(self, name: str, *, writes: bool) -> Answer:
        actions = "pull,push" if writes else "pull"
        challenge = (
            f'Bearer realm="{self.url}/token",service="ghcr.io",scope="repository:{name}:{actions}"'
        )
        answer = wsgi.error(401, "UNAUTHORIZED", "authentication required")
        answer.headers["WWW-Authenticate"] = challenge
        return answer

    # Endpoints

    def _no_referrers(self, name: str, digest: str) -> Answer:
        if self._moods.referrers == "missing":
            return wsgi.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        # A host that does not exist, so that tests notice requests to it.
        return wsgi.redirect(303, f"https://github.com/-/v2/packages/container/{name}/{digest}")

    def _blob(self, environ: Environ, name: str, last: str) -> Answer:
        method = environ["REQUEST_METHOD"]
        if method == "GET" and not last.startswith("uploads/"):
            return self._to_storage(environ, name, last)
        large = int(environ.get("CONTENT_LENGTH") or 0) > CHUNK_LIMIT
        if method == "PATCH" and large and environ.get("HTTP_CONTENT_RANGE"):
            return wsgi.error(416, "REQUESTED_RANGE_NOT_SATISFIABLE", _TOO_LARGE)
        if method == "POST" and "mount" in wsgi.query_of(environ) and not self._mounts(environ):
            environ = {**environ, "QUERY_STRING": ""}
        answer = self._call(environ)
        if answer.status == 201 and self._moods.lag:
            self._hidden[name, answer.headers["Docker-Content-Digest"]] = self._moods.lag
        return answer

    def _mounts(self, environ: Environ) -> bool:
        """Check whether the token allows reading the source of a mount."""
        grant = self._authority.grant_of(str(environ.get("HTTP_AUTHORIZATION", "")))
        source = wsgi.query_of(environ).get("from", [""])[0]
        return isinstance(grant, Grant) and self._permits(grant, source, "pull")

    def _to_storage(self, environ: Environ, name: str, digest: str) -> Answer:
        found = self._call({**environ, "REQUEST_METHOD": "HEAD", "HTTP_RANGE": ""})
        if found.status != 200:
            return self._call(environ)
        signature = secrets.token_urlsafe(12)
        self.signatures[signature] = f"/v2/{name}/blobs/{digest}"
        return wsgi.redirect(307, f"{self.storage_url}/ghcr1/blobs/{digest}?sig={signature}")

    def _manifest(self, environ: Environ, name: str, last: str) -> Answer:
        answer = self._call(environ)
        digest = answer.headers.get("Docker-Content-Digest", "")
        if environ["REQUEST_METHOD"] == "PUT":
            answer.headers.pop("OCI-Subject", None)
            if answer.status == 201 and self._moods.lag:
                self._hidden[name, last] = self._hidden[name, digest] = self._moods.lag
        elif answer.status == 200:
            if answer.headers["Content-Type"] not in str(environ.get("HTTP_ACCEPT", "")):
                answer.close()
                return wsgi.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
            if environ["REQUEST_METHOD"] == "GET":
                with self._lock:
                    self.downloads[digest] += 1
        return answer

    def _lags(self, name: str, last: str) -> bool:
        with self._lock:
            left = self._hidden.get((name, last), 0)
            if left:
                self._hidden[name, last] = left - 1
        return left > 0


class Storage:
    """The storage host of blobs: signed URLs, and no Authorization."""

    def __init__(self, app: Callable[..., Iterable[bytes]], ghcr: Ghcr, moods: Moods) -> None:
        self._app = app
        self._ghcr = ghcr
        self._moods = moods

    def handle(self, environ: Environ) -> Answer:
        if environ.get("HTTP_AUTHORIZATION"):
            return wsgi.error(400, "InvalidAuthenticationInfo", "only one auth method is allowed")
        signature = wsgi.query_of(environ).get("sig", [""])[0]
        path = self._ghcr.signatures.get(signature)
        if environ["REQUEST_METHOD"] != "GET" or path is None:
            return wsgi.error(403, "AuthenticationFailed", "the signature does not match")
        if self._moods.take("expired"):
            # Another request with the same signature may have had the same result.
            self._ghcr.signatures.pop(signature, None)
            return wsgi.error(403, "AuthenticationFailed", "the signature has expired")
        answer = wsgi.call(self._app, {**environ, "PATH_INFO": path, "QUERY_STRING": ""})
        for header in ("Docker-Content-Digest", "Docker-Distribution-Api-Version"):
            answer.headers.pop(header, None)
        return answer
