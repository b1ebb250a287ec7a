"""The endpoints for blob uploads.

Spec: OCI distribution spec 1.1, "Pushing blobs".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.errors import InvalidResponseError, RegistryUnavailableError
from ghcrctl.oci.numbers import whole_number
from ghcrctl.registry.auth import Scope
from ghcrctl.registry.endpoint import host_shown
from ghcrctl.registry.redirects import FORWARDED_PROTO, redirect_target
from ghcrctl.registry.urls import joined

if TYPE_CHECKING:
    import requests

    from ghcrctl.oci.digest import Digest
    from ghcrctl.registry.authenticated_client import AuthenticatedClient

_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,18})\Z")
_BYTES = {"Content-Type": "application/octet-stream"}
_EMPTY = {"Content-Length": "0"}


@dataclass(frozen=True, slots=True)
class UploadSession:
    """An upload that a registry has started.

    Args:
        address: the URL for the next request.
        received: the number of bytes that the registry has; ``None`` if unknown.
        smallest: the minimum size of a chunk, except for the last one (bytes).
    """

    address: str
    received: int | None = None
    smallest: int = 0


class TooLargeError(Exception):
    """The body is larger than the registry, or a proxy in front of it, accepts."""


class UploadRedirectedError(Exception):
    """The body must be sent to another URL on the same host.

    Args:
        address: that URL.
    """

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class OutOfOrderError(Exception):
    """The registry expects a different part of the blob."""


class UploadEndpoints:
    """The upload endpoints of one registry.

    Args:
        http: sends the requests.
    """

    def __init__(self, http: AuthenticatedClient) -> None:
        self._http = http

    def begin(self, repository: str) -> UploadSession:
        """Start an upload."""
        scope = Scope.push(repository)
        path = f"{repository}/blobs/uploads/"
        with self._http.request("POST", path, scope, headers=_EMPTY) as response:
            return self._first(response, scope)

    def mount(self, repository: str, digest: Digest, source: str) -> UploadSession | None:
        """Mount a blob from another repository.

        Returns:
            ``None`` on success; otherwise the upload session that the registry started instead.
        """
        scope = Scope.push(repository, source)
        query = urlencode({"mount": str(digest), "from": source})
        path = f"{repository}/blobs/uploads/?{query}"
        # No retries: if mounting fails, the blob is uploaded, with retries.
        options = replace(self._http.options, retry=RetryPolicy(attempts=1))
        request = self._http.request("POST", path, scope, headers=_EMPTY, options=options)
        with request as response:
            return None if response.status_code == 201 else self._first(response, scope)

    def _first(self, response: requests.Response, scope: Scope) -> UploadSession:
        self._http.expect(response, {200, 201, 202, 204}, scope, "push to", "")
        if not response.headers.get("Location"):
            raise InvalidResponseError(f"{self._http.registry} returned no upload URL")
        smallest = whole_number(response.headers.get("OCI-Chunk-Min-Length", ""))
        return UploadSession(self._next(response, ""), smallest=smallest or 0)

    def finish(self, repository: str, address: str, digest: Digest, body: Any = b"") -> None:
        """Send the final request of an upload, with the whole blob or an empty body after chunks.

        Args:
            repository: the repository.
            address: the upload's URL.
            digest: the digest of the blob.
            body: bytes, or a stream, which is only sent once.

        Raises:
            TooLargeError: the body must be sent in chunks.
            UploadRedirectedError: the body must be sent to another URL.
            GhcrctlError: the upload failed; retryable if the bytes may be sent again.
        """
        url = _with_digest(address, digest)
        scope = Scope.push(repository)
        request = self._http.send("PUT", url, scope, headers=_BYTES, body=body, follow=False)
        with request as response:
            insecure = self._http.options.tls.insecure
            target = redirect_target(response, "PUT", url, insecure=insecure)
            if target:
                raise UploadRedirectedError(target)
            if body and response.status_code in {413, 416}:
                raise TooLargeError
            if response.status_code == 401 and self._http.is_own(url):
                # The token has expired during the upload; the next attempt gets a new one.
                error = self._http.refusal_error(response, scope, "push to", str(digest))
                error.retryable = True
                raise error
            self._check(response, {201, 202, 204}, scope)

    def append(self, repository: str, address: str, start: int, chunk: bytes) -> UploadSession:
        """Send a chunk.

        Args:
            repository: the repository.
            address: the upload's URL.
            start: the position of the chunk's first byte in the blob.
            chunk: at least one byte.

        Raises:
            OutOfOrderError: the registry expects another position, which `status` returns.
        """
        headers = _BYTES | {"Content-Range": f"{start}-{start + len(chunk) - 1}"}
        scope = Scope.push(repository)
        with self._http.send("PATCH", address, scope, headers=headers, body=chunk) as response:
            if response.status_code == 416:
                raise OutOfOrderError(
                    str(self._http.refusal_error(response, scope, "push to", "a chunk"))
                )
            self._check(response, {200, 201, 202, 204}, scope)
            return self._session(response, address)

    def status(self, repository: str, address: str) -> UploadSession:
        """Return the upload with the number of bytes that the registry has received."""
        scope = Scope.push(repository)
        with self._http.send("GET", address, scope) as response:
            self._check(response, {200, 202, 204}, scope)
            return self._session(response, address)

    def _session(self, response: requests.Response, address: str) -> UploadSession:
        match = _RANGE.match(response.headers.get("Range", ""))
        # There is no range for zero bytes; registries send `0-0`.
        received = int(match[1]) + 1 if match and match[1] != "0" else 0 if match else None
        return UploadSession(self._next(response, address), received)

    def _check(self, response: requests.Response, statuses: set[int], scope: Scope) -> None:
        if response.status_code == 404:
            quoted = self._http.refusal(response, scope, "", "").quoted
            raise RegistryUnavailableError(
                f"{self._http.registry} no longer knows the upload{quoted}", retryable=True
            )
        self._http.expect(response, statuses, scope, "push to", "")

    def _next(self, response: requests.Response, address: str) -> str:
        """Return the URL for the next request; without a ``Location`` it is unchanged."""
        location = response.headers.get("Location", "")
        if not location:
            return address
        url = response.url
        target = joined(url, location)
        if target is None:
            raise InvalidResponseError(
                f"invalid upload URL from {self._http.registry}: expected an https URL"
            )
        if url.startswith("https:") and not target.startswith("https:"):
            raise InvalidResponseError(
                f"invalid upload URL from {self._http.registry}: "
                f"http://{host_shown(target)} does not use TLS",
                hint=FORWARDED_PROTO,
            )
        return target


def _with_digest(address: str, digest: Digest) -> str:
    """Return an upload's URL with the digest, unless a redirect has kept it."""
    query = urlsplit(address).query
    if "digest" in parse_qs(query):
        return address
    return f"{address}{'&' if query else '?'}{urlencode({'digest': str(digest)})}"
