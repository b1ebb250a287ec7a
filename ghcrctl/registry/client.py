"""One method an endpoint of the distribution spec.

What belongs here: what to ask, and reading the answer. What does not: places and content
(``repository``), connections (``transport``), tokens (``auth``), what refusals mean (``explain``).

Spec: OCI distribution spec 1.1, "Endpoints".
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from ghcrctl.errors import (
    AuthError,
    ConnectionFailedError,
    InvalidResponseError,
    TlsError,
    UnauthorizedError,
)
from ghcrctl.oci.manifest import MAX_METADATA_SIZE
from ghcrctl.oci.media_types import ACCEPTED
from ghcrctl.registry.answers import at_offset, read_all, read_json
from ghcrctl.registry.auth import Authenticator, Scope
from ghcrctl.registry.endpoint import host_of, host_shown, is_loopback
from ghcrctl.registry.explain import Refusal, explain
from ghcrctl.registry.ranges import ReadAhead, Span
from ghcrctl.registry.transport import Transport, error_text, joined, let_go

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

    from ghcrctl.content.ports import Stream
    from ghcrctl.credentials.credential import Credential
    from ghcrctl.credentials.keychain import Keychain
    from ghcrctl.oci.digest import Digest
    from ghcrctl.registry.transport import TransportOptions

ACCEPT = ", ".join((*ACCEPTED, "*/*"))
_THERE = {200, 301, 302, 303, 307, 308}
_MAX_PAGES = 10_000
_PAGE = 1000
_NEXT = re.compile(r'<([^>]*)>[^,<]*?;\s*rel="?next"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RawManifest:
    """A manifest as it came. ``digest``: what the registry says it is, maybe empty."""

    raw: bytes
    media_type: str
    digest: str


class RegistryClient:
    """Talks to one registry; threads may share it.

    Args:
        registry: its name.
        keychain: where credentials are; ``None`` for none at all.
        options: how to talk.
        warn: is told what a person should know.
    """

    def __init__(
        self,
        registry: str,
        *,
        keychain: Keychain | None,
        options: TransportOptions,
        warn: Callable[[str], None],
    ) -> None:
        self.registry = registry
        self._warn = warn
        self._options = options
        self.transport = Transport(options)
        self._auth = Authenticator(
            registry,
            lambda repository: keychain.find(registry, repository) if keychain else None,
            self.transport,
            warn,
        )
        self._base: str | None = None
        self.ahead = ReadAhead(options.connections) if options.connections > 1 else None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections that are open."""
        if self.ahead:
            self.ahead.close()
        self.transport.close()

    def base(self) -> str:
        """Return the registry's address.

        Plain HTTP is tried on this machine and where it is allowed, after TLS, as docker does.
        """
        with self._lock:
            if self._base is None:
                host = host_of(self.registry)
                self._base = f"https://{host}"
                if is_loopback(host) or self._options.tls.insecure:
                    self._base = self._probe(host)
            return self._base

    def _probe(self, host: str) -> str:
        secure = f"https://{host}"
        try:
            let_go(self.transport.request("GET", f"{secure}/v2/"))
        except (TlsError, ConnectionFailedError) as error:
            if "certificate" in error.message:
                raise
            return f"http://{host}"
        return secure

    def check(self, credential: Credential) -> None:
        """Find out whether the registry accepts a credential.

        Raises:
            UnauthorizedError: it does not.
        """
        auth = Authenticator(
            self.registry, lambda _: credential, self.transport, self._warn, lenient=False
        )
        url = f"{self.base()}/v2/"
        response = self.transport.request("GET", url)
        try:
            if response.status_code == 401:
                answer = auth.answer(response, Scope(), url)
                let_go(response)
                response = self.transport.request("GET", url, authorization=answer)
            if response.status_code != 200:
                raise self._refused(response, Scope(), "sign in to", "")
        except AuthError as error:
            raise self._wrong_credential(credential, error) from None
        finally:
            response.close()

    def _wrong_credential(self, credential: Credential, error: AuthError) -> UnauthorizedError:
        said = error.message.partition(" (")[2]
        return UnauthorizedError(
            f"{self.registry} rejects this user name and password for {credential.username}"
            f"{' (' + said if said else ''}",
            hint="the password is a classic token with the scope read:packages or write:packages: "
            "https://github.com/settings/tokens"
            if self.registry == "ghcr.io"
            else "check both",
        )

    # Manifests

    def get_manifest(self, repository: str, name: str) -> RawManifest:
        """Get a manifest by tag or digest; at most 4 MiB."""
        path = f"{repository}/manifests/{name}"
        with self._ask("GET", path, Scope.pull(repository), headers={"Accept": ACCEPT}) as response:
            self._expect(response, {200}, repository, "pull from", name)
            raw = read_all(response, MAX_METADATA_SIZE, "manifest")
            media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
            return RawManifest(raw, media_type, response.headers.get("Docker-Content-Digest", ""))

    def has_manifest(self, repository: str, digest: Digest) -> bool:
        """Tell whether a manifest is there."""
        path = f"{repository}/manifests/{digest}"
        scope = Scope.push(repository)
        with self._ask("HEAD", path, scope, headers={"Accept": ACCEPT}) as response:
            if response.status_code == 404:
                return False
            self._expect(response, {200}, repository, "push to", str(digest))
            return True

    def put_manifest(
        self, repository: str, name: str, raw: bytes, media_type: str
    ) -> tuple[str, bool]:
        """Put a manifest under a tag or its digest.

        Returns:
            The digest answered, maybe empty, and whether the registry lists the manifest as a
            referrer of its subject (OCI distribution spec 1.1, "Pushing Manifests with Subject").
        """
        path = f"{repository}/manifests/{name}"
        headers = {"Content-Type": media_type}
        scope = Scope.push(repository)
        with self._ask("PUT", path, scope, headers=headers, body=raw) as response:
            if "BLOB_UNKNOWN" in error_text(response) and response.status_code in {400, 404}:
                # Read-after-write lag: what was just uploaded is not seen everywhere at once.
                raise InvalidResponseError(
                    f"{self.registry}/{repository} does not see yet what was uploaded"
                    f"{self._refusal(response, scope, '', name).words}",
                    retryable=True,
                )
            self._expect(response, {200, 201, 202}, repository, "push to", name, scope=scope)
            listed = "OCI-Subject" in response.headers
            return response.headers.get("Docker-Content-Digest", ""), listed

    def delete_manifest(self, repository: str, name: str) -> None:
        """Delete a manifest, or a tag where the registry can."""
        scope = Scope(((repository, "pull,push,delete"),))
        with self._ask("DELETE", f"{repository}/manifests/{name}", scope) as response:
            self._expect(response, {200, 202}, repository, "delete from", name, scope=scope)

    # Blobs

    def has_blob(self, repository: str, digest: Digest) -> bool:
        """Tell whether a blob is there; a redirect says yes too."""
        path = f"{repository}/blobs/{digest}"
        with self._ask("HEAD", path, Scope.push(repository)) as response:
            if response.status_code == 404:
                return False
            self._expect(response, _THERE, repository, "push to", str(digest))
            return True

    def get_blob(self, repository: str, digest: Digest, offset: int = 0) -> Stream:
        """Start reading a blob at a byte."""
        response = self.request_blob(repository, digest, Span(offset))
        try:
            return at_offset(response, offset)
        except BaseException:
            response.close()
            raise

    def request_blob(self, repository: str, digest: Digest, span: Span) -> requests.Response:
        """Ask for bytes of a blob; the answer is 200, with all of it, or 206."""
        path = f"{repository}/blobs/{digest}"
        scope = Scope.pull(repository)
        response = self._ask("GET", path, scope, headers=span.header)
        if response.status_code in {401, 403} and urlsplit(response.url).path != f"/v2/{path}":
            # The address that the registry sent us to has expired; it gives a new one.
            response.close()
            response = self._ask("GET", path, scope, headers=span.header)
        try:
            self._expect(response, {200, 206}, repository, "pull from", str(digest))
        except BaseException:
            response.close()
            raise
        return response

    def start_upload(
        self, repository: str, *, mount: Digest | None = None, source: str = ""
    ) -> tuple[str | None, bool]:
        """Begin an upload, or take a blob over from another repository.

        Returns:
            The address to upload to, and whether the blob was taken over, so that there is nothing
            to upload.
        """
        query = f"?{urlencode({'mount': str(mount), 'from': source})}" if mount else ""
        scope = Scope.push(repository, source) if mount else Scope.push(repository)
        path = f"{repository}/blobs/uploads/{query}"
        headers = {"Content-Length": "0"}
        with self._ask("POST", path, scope, headers=headers) as response:
            if mount and response.status_code == 201:
                return None, True
            self._expect(response, {202}, repository, "push to", "", scope=scope)
            location = response.headers.get("Location", "")
            if not location:
                raise InvalidResponseError(f"{self.registry} gave no address to upload to")
            return self._upload_address(response.url, location), False

    def finish_upload(self, repository: str, address: str, digest: Digest, body: Any) -> None:
        """Send a whole blob to an upload's address (spec: "POST then PUT")."""
        separator = "&" if urlsplit(address).query else "?"
        url = f"{address}{separator}{urlencode({'digest': str(digest)})}"
        scope = Scope.push(repository)
        own = urlsplit(url)[:2] == urlsplit(self.base())[:2]
        response = self.transport.request(
            "PUT",
            url,
            headers={"Content-Type": "application/octet-stream"},
            body=body,
            authorization=self._auth.header(scope) if own else None,
        )
        with response:
            if response.status_code == 401 and own:
                # The token ended on the way; the next try gets another.
                self._auth.answer(response, scope, url)
                error = self._refused(response, scope, "push to", str(digest))
                error.retryable = True
                raise error
            self._expect(response, {201, 202, 204}, repository, "push to", str(digest), scope=scope)

    def _upload_address(self, url: str, location: str) -> str:
        address = joined(url, location)
        downgraded = url.startswith("https:") and not (address or "").startswith("https:")
        if address is None or downgraded:
            raise InvalidResponseError(
                f"{self.registry} gave an address to upload to that must not be used "
                f"({location.partition(':')[0]}://{host_shown(location)})"
            )
        return address

    # Lists

    def tags(self, repository: str) -> Iterator[str]:
        """Yield all tags, page by page, each once."""
        url: str | None = f"{repository}/tags/list?n={_PAGE}"
        seen: set[str] = set()
        pages: set[str] = set()
        while url and url not in pages and len(pages) < _MAX_PAGES:
            pages.add(url)
            with self._ask("GET", url, Scope.pull(repository)) as response:
                self._expect(response, {200}, repository, "pull from", "tags")
                data = read_json(response, self.registry)
                url = self._next_page(response)
            listed = data.get("tags") or []
            if not isinstance(listed, list):
                raise InvalidResponseError(f"{self.registry} sent tags that are no list")
            for tag in listed:
                if isinstance(tag, str) and tag not in seen:
                    seen.add(tag)
                    yield tag

    def _next_page(self, response: requests.Response) -> str | None:
        match = _NEXT.search(response.headers.get("Link", ""))
        if not match:
            return None
        target = urlsplit(joined(response.url, match[1]) or "")
        # Behind a proxy that does TLS for it, a registry may say http; only path and query are
        # used.
        if target.netloc != urlsplit(self.base()).netloc or not target.path.startswith("/v2/"):
            raise InvalidResponseError(f"{self.registry} continues its list at another host")
        if not parse_qs(target.query):
            return None
        return f"{target.path.removeprefix('/v2/')}?{target.query}"

    # Asking

    def _ask(
        self,
        method: str,
        path: str,
        scope: Scope,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> requests.Response:
        """Send a request below ``/v2/`` with what authorizes it, answering a challenge."""
        url = f"{self.base()}/v2/{path}"

        def send(authorization: str | None) -> requests.Response:
            return self.transport.request(
                method, url, headers=headers, body=body, authorization=authorization
            )

        response = send(self._auth.header(scope))
        for _ in range(2):
            if response.status_code != 401 or urlsplit(response.url)[:2] != urlsplit(url)[:2]:
                break
            try:
                authorization = self._auth.answer(response, scope, url)
            except BaseException:
                response.close()
                raise
            if authorization is None:
                break
            let_go(response)
            response = send(authorization)
            if response.status_code != 401 or not self._auth.reject(scope):
                break
        return response

    def _expect(
        self,
        response: requests.Response,
        statuses: set[int],
        repository: str,
        action: str,
        what: str,
        *,
        scope: Scope | None = None,
    ) -> None:
        if response.status_code not in statuses:
            raise self._refused(response, scope or Scope.pull(repository), action, what)

    def _refused(self, response: requests.Response, scope: Scope, action: str, what: str) -> Any:
        return explain(self._refusal(response, scope, action, what))

    def _refusal(
        self, response: requests.Response, scope: Scope, action: str, what: str
    ) -> Refusal:
        credential = self._auth.credential(scope)
        return Refusal(
            registry=self.registry,
            repository=scope.grants[0][0] if scope.grants else "",
            action=action,
            what=what,
            status=response.status_code,
            text=error_text(response),
            headers=response.headers,
            signed_in=credential.source if credential else "",
        )
