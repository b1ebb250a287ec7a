"""A client for a registry, with one method per endpoint.

Spec: OCI distribution spec 1.1, "Endpoints".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from ghcrctl.errors import (
    AuthError,
    InvalidManifestError,
    InvalidResponseError,
    NotFoundError,
    UnauthorizedError,
    UnsupportedError,
)
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import MAX_METADATA_SIZE
from ghcrctl.oci.media_types import ACCEPTED
from ghcrctl.oci.reference import is_tag
from ghcrctl.registry.auth import Authenticator, Scope
from ghcrctl.registry.authenticated_client import AuthenticatedClient
from ghcrctl.registry.body_stream import MAX_ERROR_BODY, discard, error_text
from ghcrctl.registry.endpoint import host_shown
from ghcrctl.registry.error_bodies import is_html, quote_body
from ghcrctl.registry.headers import is_packed, next_link, stated_digest
from ghcrctl.registry.read_ahead import ReadAhead, Span
from ghcrctl.registry.responses import at_offset, read_all, read_json
from ghcrctl.registry.temporary_refusals import status_of
from ghcrctl.registry.upload_endpoints import UploadEndpoints
from ghcrctl.registry.urls import joined, same_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from ghcrctl.content.ports import Stream
    from ghcrctl.credentials.credential import Credential
    from ghcrctl.credentials.credential_chain import CredentialChain
    from ghcrctl.registry.transport_options import TransportOptions

ACCEPT = ", ".join((*ACCEPTED, "*/*"))
_EXISTS = {200, 301, 302, 303, 307, 308}
_MAX_PAGES = 10_000
_PAGE = 1000
_MAX_TAGS = 1_000_000
# Statuses of registries that do not implement the referrers API.
_NO_LIST = {301, 302, 303, 307, 308, 400, 404, 405, 406, 501}
# Statuses that refuse a HEAD but may accept a GET; storage hosts behind redirects send them too.
_NO_HEAD = {301, 302, 303, 307, 308, 400, 403, 405, 406, 501}
# Statuses that refuse a range; a GET for the whole blob then shows whether the blob exists.
_NO_RANGE = {400, 403, 404, 405, 416, 501}


@dataclass(frozen=True, slots=True)
class RawManifest:
    """A manifest as received. ``digest``: as stated by the registry, may be empty."""

    raw: bytes
    media_type: str
    digest: str


class _NoListError(Exception):
    """The registry does not serve this list."""


class RegistryClient:
    """A client for one registry; safe to share between threads.

    Args:
        registry: the registry's name.
        credentials: the credentials to use; ``None`` for anonymous access.
        options: transport options.
        warn: called with warnings for the user.
    """

    def __init__(
        self,
        registry: str,
        *,
        credentials: CredentialChain | None,
        options: TransportOptions,
        warn: Callable[[str], None],
    ) -> None:
        self.registry = registry
        self._warn = warn
        self.http = AuthenticatedClient(
            registry, credentials=credentials, options=options, warn=warn
        )
        self.transport = self.http.transport
        self.uploads = UploadEndpoints(self.http)
        self.ahead = ReadAhead(options.connections) if options.connections > 1 else None

    def without_credential(self) -> RegistryClient:
        """Return a client for the same registry without credentials."""
        options = self.transport.options
        return RegistryClient(self.registry, credentials=None, options=options, warn=lambda _: None)

    def close(self) -> None:
        """Close all open connections."""
        if self.ahead:
            self.ahead.close()
        self.transport.close()

    def check(self, credential: Credential) -> None:
        """Check that the registry accepts a credential.

        Raises:
            UnauthorizedError: the registry rejects it.
        """
        auth = Authenticator(
            self.registry, lambda _: credential, self.transport, self._warn, lenient=False
        )
        url = f"{self.http.base()}/v2/"
        response = self.transport.request("GET", url)
        try:
            if response.status_code == 401:
                header = auth.answer(response, Scope(), url)
                discard(response)
                response = self.transport.request("GET", url, authorization=header)
            if response.status_code != 200:
                raise self.http.refusal_error(response, Scope(), "sign in to", "")
            # A captive portal responds to every request with its HTML page.
            if is_html(error_text(response)):
                raise InvalidResponseError(
                    f"cannot sign in to {self.registry}: the response is not from a registry"
                    f"{quote_body(error_text(response), host_shown(response.url))}"
                )
        except AuthError as error:
            raise self._wrong_credential(credential, error) from None
        finally:
            response.close()

    def _wrong_credential(self, credential: Credential, error: AuthError) -> UnauthorizedError:
        detail = error.message.partition(" (")[2]
        return UnauthorizedError(
            f"{self.registry} rejects this user name and password for {credential.username}"
            f"{' (' + detail if detail else ''}",
            hint="use a classic token with the scope read:packages or write:packages as password: "
            "https://github.com/settings/tokens"
            if self.registry == "ghcr.io"
            else "check the user name and the password",
        )

    # Manifests

    def get_manifest(self, repository: str, name: str) -> RawManifest:
        """Return a manifest by tag or digest, up to 4 MiB."""
        get = partial(self._get_manifest, repository, name, Scope.pull(repository), "pull from")
        return self.http.read(get)

    def _get_manifest(self, repository: str, name: str, scope: Scope, action: str) -> RawManifest:
        path = f"{repository}/manifests/{name}"
        with self.http.request("GET", path, scope, headers={"Accept": ACCEPT}) as response:
            self.http.expect(response, {200}, scope, action, name)
            raw = read_all(response, MAX_METADATA_SIZE, "manifest")
            media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
            text = raw[:MAX_ERROR_BODY].decode(errors="replace")
            if is_html(text):
                raise InvalidResponseError(
                    f"cannot {action} {self.registry}/{repository}: the response is not a manifest"
                    f"{quote_body(text, host_shown(response.url))}"
                )
            return RawManifest(raw, media_type, stated_digest(response))

    def find_digest(self, repository: str, name: str) -> str:
        """Return the digest that the registry states for a tag; may be empty."""
        found = self._head_manifest(repository, name, Scope.pull(repository), "pull from")
        if isinstance(found, RawManifest):
            return found.digest or str(Digest.of(found.raw))
        return found

    def has_manifest(self, repository: str, digest: Digest) -> bool:
        """Check whether a manifest exists."""
        try:
            self._head_manifest(repository, str(digest), Scope.push(repository), "push to")
        except NotFoundError:
            return False
        return True

    def _head_manifest(
        self, repository: str, name: str, scope: Scope, action: str
    ) -> str | RawManifest:
        """Return the digest that a HEAD states, or the manifest if HEAD is refused."""
        path = f"{repository}/manifests/{name}"
        headers = {"Accept": ACCEPT}
        with self.http.request("HEAD", path, scope, headers=headers, follow=True) as response:
            elsewhere = response.status_code >= 400 and not self.http.is_own(response.url)
            if response.status_code not in _NO_HEAD and not elsewhere:
                self.http.expect(response, {200}, scope, action, name)
                return stated_digest(response)
        return self.http.read(partial(self._get_manifest, repository, name, scope, action))

    def put_manifest(
        self, repository: str, name: str, raw: bytes, media_type: str
    ) -> tuple[str, bool]:
        """Upload a manifest under a tag or its digest.

        Returns:
            The digest that the registry states (may be empty), and whether it lists the manifest as
            a referrer of its subject (OCI distribution spec 1.1, "Pushing Manifests with Subject").
        """
        path = f"{repository}/manifests/{name}"
        headers = {"Content-Type": media_type}
        scope = Scope.push(repository)
        with self.http.request("PUT", path, scope, headers=headers, body=raw) as response:
            if "BLOB_UNKNOWN" in error_text(response) and response.status_code in {400, 404}:
                # Read-after-write lag: a new blob is not visible on all servers at once.
                raise InvalidResponseError(
                    f"{self.registry}/{repository} does not see the uploaded content yet"
                    f"{self.http.refusal(response, scope, '', name).quoted}",
                    retryable=True,
                )
            self.http.expect(response, {200, 201, 202, 204}, scope, "push to", name)
            listed = "OCI-Subject" in response.headers
            return stated_digest(response), listed

    def delete_manifest(self, repository: str, name: str) -> None:
        """Delete a manifest, or a tag if the registry supports that.

        Raises:
            UnsupportedError: the registry only deletes by digest.
        """
        scope = Scope(((repository, "pull,push,delete"),))
        with self.http.request("DELETE", f"{repository}/manifests/{name}", scope) as response:
            if response.status_code == 400 and ":" not in name:
                # docker-registry before 3.0 reads the tag as a digest and rejects it as invalid.
                raise UnsupportedError(
                    f"cannot delete tag `{name}`: {self.registry} only deletes by digest"
                )
            self.http.expect(response, {200, 202, 204}, scope, "delete from", name)

    # Blobs

    def has_blob(self, repository: str, digest: Digest) -> bool:
        """Check whether a blob exists; a redirect means yes.

        If the registry refuses the request, return ``False``: it may accept the upload, or explain
        its refusal then.
        """
        path = f"{repository}/blobs/{digest}"
        scope = Scope.push(repository)
        with self.http.request("HEAD", path, scope) as response:
            if status_of(response) in {400, 403, 404, 405, 501}:
                return False
            self.http.expect(response, _EXISTS, scope, "push to", str(digest))
            return True

    def get_blob(
        self, repository: str, digest: Digest, offset: int = 0, size: int | None = None
    ) -> Stream:
        """Open a blob at an offset. ``size``: the blob's size in bytes, if known."""
        response = self.request_blob(repository, digest, Span(offset), size)
        try:
            return at_offset(response, offset, size)
        except BaseException:
            response.close()
            raise

    def request_blob(
        self, repository: str, digest: Digest, span: Span, size: int | None = None
    ) -> requests.Response:
        """Request bytes of a blob; the response is 200 with the whole blob, or 206."""
        path = f"{repository}/blobs/{digest}"
        scope = Scope.pull(repository)
        response = self.http.request("GET", path, scope, headers=span.header)
        if status_of(response) in {401, 403} and urlsplit(response.url).path != f"/v2/{path}":
            # The redirect target has expired; the registry issues a new one.
            response.close()
            response = self.http.request("GET", path, scope, headers=span.header)
        if span.header and not _has_span(response, size):
            response.close()
            response = self.http.request("GET", path, scope)
        try:
            self.http.expect(response, {200, 206}, scope, "pull from", str(digest))
        except BaseException:
            response.close()
            raise
        return response

    # Lists

    def tags(self, repository: str) -> Iterator[str]:
        """Yield all tags without duplicates, page by page."""
        seen: set[str] = set()
        for page in self._pages(f"{repository}/tags/list?n={_PAGE}", Scope.pull(repository)):
            listed = page.get("tags") or []
            if not isinstance(listed, list):
                raise InvalidResponseError(f"{self.registry} returned an invalid tag list")
            for tag in listed:
                # An invalid tag could change a URL path, or be an invalid name in the store.
                if isinstance(tag, str) and is_tag(tag) and tag not in seen:
                    seen.add(tag)
                    yield tag
            if len(seen) > _MAX_TAGS:
                raise InvalidResponseError(f"{self.registry} returned an endless tag list")

    def referrers(self, repository: str, subject: Digest) -> list[Descriptor] | None:
        """Return the referrers of a manifest; ``None`` if the registry has no referrers API.

        Spec: OCI distribution spec 1.1, "Listing Referrers".
        """
        found: list[Descriptor] = []
        try:
            for page in self._pages(f"{repository}/referrers/{subject}", Scope.pull(repository)):
                found += [Descriptor.from_json(entry) for entry in page.get("manifests") or []]
        except _NoListError:
            return None
        except (InvalidManifestError, TypeError) as error:
            raise InvalidResponseError(
                f"{self.registry} returned an invalid list of referrers: {error}"
            ) from None
        return found

    def _pages(self, path: str, scope: Scope) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list."""
        url: str | None = path
        visited: set[str] = set()
        while url and url not in visited:
            if len(visited) == _MAX_PAGES:
                raise InvalidResponseError(f"{self.registry} returned an endless list")
            visited.add(url)
            page, url = self.http.read(partial(self._get_page, url, scope))
            yield page

    def _get_page(self, url: str, scope: Scope) -> tuple[dict[str, Any], str | None]:
        """Return a page and the path of the next one."""
        is_tags = "/tags/list" in url
        # ghcr.io redirects requests for referrers to a web page on another host.
        with self.http.request("GET", url, scope, follow=is_tags) as response:
            if not is_tags and response.status_code in _NO_LIST:
                raise _NoListError
            self.http.expect(response, {200}, scope, "pull from", "tags" if is_tags else "")
            return read_json(response, self.registry), self._next_page(response)

    def _next_page(self, response: requests.Response) -> str | None:
        link = next_link(response)
        if link is None:
            return None
        target = urlsplit(joined(response.url, link) or "")
        # A registry behind a TLS proxy may send http URLs; only path and query are used.
        is_ours = same_host(target.geturl(), self.http.base())
        if not is_ours or not target.path.startswith("/v2/"):
            raise InvalidResponseError(
                f"cannot read the next page from {self.registry}: its link names another host"
            )
        if not parse_qs(target.query):
            return None
        return f"{target.path.removeprefix('/v2/')}?{target.query}"


def _has_span(response: requests.Response, size: int | None) -> bool:
    """Check that a server honored a range, and did not cut it from a compressed body."""
    if response.status_code == 206:
        return not is_packed(response, size)
    return status_of(response) not in _NO_RANGE
