"""The endpoints of uploads, one method an endpoint.

What belongs here: what to ask, and reading the answer. What does not: in which pieces a blob is
sent (``sending``).

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
    from ghcrctl.registry.authenticated_client import Asker

_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,18})\Z")
_BYTES = {"Content-Type": "application/octet-stream"}
_NOTHING = {"Content-Length": "0"}


@dataclass(frozen=True, slots=True)
class Begun:
    """An upload that a registry has begun.

    Args:
        address: where bytes go next.
        received: how many the registry has; ``None`` where it does not say.
        smallest: bytes that a chunk must have at least, but for the last.
    """

    address: str
    received: int | None = None
    smallest: int = 0


class TooLargeError(Exception):
    """A body is larger than the registry, or a proxy before it, takes at once."""


class UploadMovedError(Exception):
    """The registry takes a body at another address of its host.

    Args:
        address: where.
    """

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class OutOfOrderError(Exception):
    """The registry expects another part of the blob than it was sent."""


class Uploads:
    """Uploads to one registry.

    Args:
        asker: sends the requests.
    """

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    def begin(self, repository: str) -> Begun:
        """Begin an upload."""
        scope = Scope.push(repository)
        path = f"{repository}/blobs/uploads/"
        with self._asker.ask("POST", path, scope, headers=_NOTHING) as response:
            return self._first(response, scope)

    def mount(self, repository: str, digest: Digest, source: str) -> Begun | None:
        """Take a blob over from another repository.

        Returns:
            ``None`` where it was taken over; else an upload, which the registry has begun instead.
        """
        scope = Scope.push(repository, source)
        query = urlencode({"mount": str(digest), "from": source})
        path = f"{repository}/blobs/uploads/?{query}"
        # Once: where it fails, the blob is sent, and that is tried again.
        options = replace(self._asker.options, retry=RetryPolicy(attempts=1))
        asked = self._asker.ask("POST", path, scope, headers=_NOTHING, options=options)
        with asked as response:
            return None if response.status_code == 201 else self._first(response, scope)

    def _first(self, response: requests.Response, scope: Scope) -> Begun:
        self._asker.expect(response, {200, 201, 202, 204}, scope, "push to", "")
        if not response.headers.get("Location"):
            raise InvalidResponseError(f"{self._asker.registry} gave no address to upload to")
        smallest = whole_number(response.headers.get("OCI-Chunk-Min-Length", ""))
        return Begun(self._next(response, ""), smallest=smallest or 0)

    def finish(self, repository: str, address: str, digest: Digest, body: Any = b"") -> None:
        """Send all of a blob, or nothing after its last chunk, and name its digest.

        Args:
            repository: whose upload it is.
            address: the upload's.
            digest: what the registry shall find the blob to be.
            body: bytes, or a stream, which is sent once only.

        Raises:
            TooLargeError: the body must be sent in chunks.
            UploadMovedError: the body must be sent to another address.
            GhcrctlError: it failed; retryable where the bytes may be sent again.
        """
        url = _naming(address, digest)
        scope = Scope.push(repository)
        sent = self._asker.send("PUT", url, scope, headers=_BYTES, body=body, follow=False)
        with sent as response:
            insecure = self._asker.options.tls.insecure
            moved = redirect_target(response, "PUT", url, insecure=insecure)
            if moved:
                raise UploadMovedError(moved)
            if body and response.status_code in {413, 416}:
                raise TooLargeError
            if response.status_code == 401 and self._asker.is_own(url):
                # The token ended on the way; the next try has another.
                error = self._asker.refused(response, scope, "push to", str(digest))
                error.retryable = True
                raise error
            self._check(response, {201, 202, 204}, scope)

    def append(self, repository: str, address: str, start: int, chunk: bytes) -> Begun:
        """Send a chunk.

        Args:
            repository: whose upload it is.
            address: the upload's.
            start: the position of the chunk's first byte in the blob.
            chunk: at least one byte.

        Raises:
            OutOfOrderError: the registry is at another byte; `status` tells at which.
        """
        headers = _BYTES | {"Content-Range": f"{start}-{start + len(chunk) - 1}"}
        scope = Scope.push(repository)
        with self._asker.send("PATCH", address, scope, headers=headers, body=chunk) as response:
            if response.status_code == 416:
                raise OutOfOrderError(
                    str(self._asker.refused(response, scope, "push to", "a chunk"))
                )
            self._check(response, {200, 201, 202, 204}, scope)
            return self._begun(response, address)

    def status(self, repository: str, address: str) -> Begun:
        """Ask how much of a blob was received."""
        scope = Scope.push(repository)
        with self._asker.send("GET", address, scope) as response:
            self._check(response, {200, 202, 204}, scope)
            return self._begun(response, address)

    def _begun(self, response: requests.Response, address: str) -> Begun:
        match = _RANGE.match(response.headers.get("Range", ""))
        # Of nothing there is no range; registries write `0-0` then.
        received = int(match[1]) + 1 if match and match[1] != "0" else 0 if match else None
        return Begun(self._next(response, address), received)

    def _check(self, response: requests.Response, statuses: set[int], scope: Scope) -> None:
        if response.status_code == 404:
            words = self._asker.refusal(response, scope, "", "").words
            raise RegistryUnavailableError(
                f"{self._asker.registry} does not know the upload any more{words}", retryable=True
            )
        self._asker.expect(response, statuses, scope, "push to", "")

    def _next(self, response: requests.Response, address: str) -> str:
        """Return where to go on; answers without a ``Location`` change nothing."""
        location = response.headers.get("Location", "")
        if not location:
            return address
        url = response.url
        target = joined(url, location)
        if target is None:
            raise InvalidResponseError(
                f"invalid upload address from {self._asker.registry}: expected an https URL"
            )
        if url.startswith("https:") and not target.startswith("https:"):
            raise InvalidResponseError(
                f"invalid upload address from {self._asker.registry}: "
                f"http://{host_shown(target)} does not use TLS",
                hint=FORWARDED_PROTO,
            )
        return target


def _naming(address: str, digest: Digest) -> str:
    """Return an upload's address with the digest, which a redirect may have kept."""
    query = urlsplit(address).query
    if "digest" in parse_qs(query):
        return address
    return f"{address}{'&' if query else '?'}{urlencode({'digest': str(digest)})}"
