"""One method an endpoint of the distribution spec.

What belongs here: what to ask, and reading the answer. What does not: places and content
(``repository``), what every request has in common (``asking``), uploads (``uploads``).

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
from ghcrctl.registry.authenticated_client import Asker
from ghcrctl.registry.body_stream import MAX_ERROR_BODY, error_text, let_go
from ghcrctl.registry.endpoint import host_shown
from ghcrctl.registry.error_bodies import is_html, quote_body
from ghcrctl.registry.headers import is_packed, next_link, stated_digest
from ghcrctl.registry.read_ahead import ReadAhead, Span
from ghcrctl.registry.responses import at_offset, read_all, read_json
from ghcrctl.registry.temporary_refusals import status_of
from ghcrctl.registry.upload_endpoints import Uploads
from ghcrctl.registry.urls import joined, same_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from ghcrctl.content.ports import Stream
    from ghcrctl.credentials.credential import Credential
    from ghcrctl.credentials.credential_chain import Keychain
    from ghcrctl.registry.transport_options import TransportOptions

ACCEPT = ", ".join((*ACCEPTED, "*/*"))
_THERE = {200, 301, 302, 303, 307, 308}
_MAX_PAGES = 10_000
_PAGE = 1000
_MAX_TAGS = 1_000_000
# How registries say that they list no referrers.
_NO_LIST = {301, 302, 303, 307, 308, 400, 404, 405, 406, 501}
# How registries refuse a HEAD where a GET may do; also, how storage hosts refuse one that they
# were asked by a redirect.
_NO_HEAD = {301, 302, 303, 307, 308, 400, 403, 405, 406, 501}
# How servers refuse to send a part of a blob; the GET of all of it tells whether it is there.
_NO_RANGE = {400, 403, 404, 405, 416, 501}


@dataclass(frozen=True, slots=True)
class RawManifest:
    """A manifest as it came. ``digest``: what the registry says it is, maybe empty."""

    raw: bytes
    media_type: str
    digest: str


class _NoListError(Exception):
    """The registry has no such list."""


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
        self.asker = Asker(registry, keychain=keychain, options=options, warn=warn)
        self.transport = self.asker.transport
        self.uploads = Uploads(self.asker)
        self.ahead = ReadAhead(options.connections) if options.connections > 1 else None

    def without_credential(self) -> RegistryClient:
        """Return a client of the same registry that never signs in."""
        options = self.transport.options
        return RegistryClient(self.registry, keychain=None, options=options, warn=lambda _: None)

    def close(self) -> None:
        """Close the connections that are open."""
        if self.ahead:
            self.ahead.close()
        self.transport.close()

    def check(self, credential: Credential) -> None:
        """Find out whether the registry accepts a credential.

        Raises:
            UnauthorizedError: it does not.
        """
        auth = Authenticator(
            self.registry, lambda _: credential, self.transport, self._warn, lenient=False
        )
        url = f"{self.asker.base()}/v2/"
        response = self.transport.request("GET", url)
        try:
            if response.status_code == 401:
                answer = auth.answer(response, Scope(), url)
                let_go(response)
                response = self.transport.request("GET", url, authorization=answer)
            if response.status_code != 200:
                raise self.asker.refused(response, Scope(), "sign in to", "")
            # A captive portal answers for every host with a page.
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
        get = partial(self._get_manifest, repository, name, Scope.pull(repository), "pull from")
        return self.asker.read(get)

    def _get_manifest(self, repository: str, name: str, scope: Scope, action: str) -> RawManifest:
        path = f"{repository}/manifests/{name}"
        with self.asker.ask("GET", path, scope, headers={"Accept": ACCEPT}) as response:
            self.asker.expect(response, {200}, scope, action, name)
            raw = read_all(response, MAX_METADATA_SIZE, "manifest")
            media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
            text = raw[:MAX_ERROR_BODY].decode(errors="replace")
            if is_html(text):
                raise InvalidResponseError(
                    f"cannot {action} {self.registry}/{repository}: no manifest was sent"
                    f"{quote_body(text, host_shown(response.url))}"
                )
            return RawManifest(raw, media_type, stated_digest(response))

    def find_digest(self, repository: str, name: str) -> str:
        """Return what the registry says a tag resolves to, without getting it; maybe nothing."""
        found = self._look(repository, name, Scope.pull(repository), "pull from")
        if isinstance(found, RawManifest):
            return found.digest or str(Digest.of(found.raw))
        return found

    def has_manifest(self, repository: str, digest: Digest) -> bool:
        """Tell whether a manifest is there."""
        try:
            self._look(repository, str(digest), Scope.push(repository), "push to")
        except NotFoundError:
            return False
        return True

    def _look(self, repository: str, name: str, scope: Scope, action: str) -> str | RawManifest:
        """Return the digest that a HEAD states, or the manifest where no HEAD is possible."""
        path = f"{repository}/manifests/{name}"
        headers = {"Accept": ACCEPT}
        with self.asker.ask("HEAD", path, scope, headers=headers, follow=True) as response:
            elsewhere = response.status_code >= 400 and not self.asker.is_own(response.url)
            if response.status_code not in _NO_HEAD and not elsewhere:
                self.asker.expect(response, {200}, scope, action, name)
                return stated_digest(response)
        return self.asker.read(partial(self._get_manifest, repository, name, scope, action))

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
        with self.asker.ask("PUT", path, scope, headers=headers, body=raw) as response:
            if "BLOB_UNKNOWN" in error_text(response) and response.status_code in {400, 404}:
                # Read-after-write lag: what was just uploaded is not seen everywhere at once.
                raise InvalidResponseError(
                    f"{self.registry}/{repository} does not see yet what was uploaded"
                    f"{self.asker.refusal(response, scope, '', name).words}",
                    retryable=True,
                )
            self.asker.expect(response, {200, 201, 202, 204}, scope, "push to", name)
            listed = "OCI-Subject" in response.headers
            return stated_digest(response), listed

    def delete_manifest(self, repository: str, name: str) -> None:
        """Delete a manifest, or a tag where the registry can.

        Raises:
            UnsupportedError: it cannot.
        """
        scope = Scope(((repository, "pull,push,delete"),))
        with self.asker.ask("DELETE", f"{repository}/manifests/{name}", scope) as response:
            if response.status_code == 400 and ":" not in name:
                # docker-registry before 3.0 takes the tag for a digest, and says it is none.
                raise UnsupportedError(f"{self.registry} deletes by digest only, not `{name}`")
            self.asker.expect(response, {200, 202, 204}, scope, "delete from", name)

    # Blobs

    def has_blob(self, repository: str, digest: Digest) -> bool:
        """Return whether a blob exists; a redirect means yes.

        A registry that refuses the request may still accept the blob, or explain why not.
        """
        path = f"{repository}/blobs/{digest}"
        scope = Scope.push(repository)
        with self.asker.ask("HEAD", path, scope) as response:
            if status_of(response) in {400, 403, 404, 405, 501}:
                return False
            self.asker.expect(response, _THERE, scope, "push to", str(digest))
            return True

    def get_blob(
        self, repository: str, digest: Digest, offset: int = 0, size: int | None = None
    ) -> Stream:
        """Start reading a blob at a byte; ``size``: its bytes, where they are known."""
        response = self.request_blob(repository, digest, Span(offset), size)
        try:
            return at_offset(response, offset, size)
        except BaseException:
            response.close()
            raise

    def request_blob(
        self, repository: str, digest: Digest, span: Span, size: int | None = None
    ) -> requests.Response:
        """Ask for bytes of a blob; the response is 200, with all of it, or 206."""
        path = f"{repository}/blobs/{digest}"
        scope = Scope.pull(repository)
        response = self.asker.ask("GET", path, scope, headers=span.header)
        if status_of(response) in {401, 403} and urlsplit(response.url).path != f"/v2/{path}":
            # The address that the registry sent us to has expired; it gives a new one.
            response.close()
            response = self.asker.ask("GET", path, scope, headers=span.header)
        if span.header and not _has_span(response, size):
            response.close()
            response = self.asker.ask("GET", path, scope)
        try:
            self.asker.expect(response, {200, 206}, scope, "pull from", str(digest))
        except BaseException:
            response.close()
            raise
        return response

    # Lists

    def tags(self, repository: str) -> Iterator[str]:
        """Yield all tags, page by page, each once."""
        seen: set[str] = set()
        for page in self._pages(f"{repository}/tags/list?n={_PAGE}", Scope.pull(repository)):
            listed = page.get("tags") or []
            if not isinstance(listed, list):
                raise InvalidResponseError(f"{self.registry} sent tags that are no list")
            for tag in listed:
                # What is no tag would lead elsewhere in a path, and be no name in the store.
                if isinstance(tag, str) and is_tag(tag) and tag not in seen:
                    seen.add(tag)
                    yield tag
            if len(seen) > _MAX_TAGS:
                raise InvalidResponseError(f"{self.registry} lists tags without an end")

    def referrers(self, repository: str, subject: Digest) -> list[Descriptor] | None:
        """Return what refers to a manifest; ``None`` where the registry does not list that.

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
                f"{self.registry} sent a list of referrers that is none: {error}"
            ) from None
        return found

    def _pages(self, path: str, scope: Scope) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list."""
        url: str | None = path
        asked: set[str] = set()
        while url and url not in asked:
            if len(asked) == _MAX_PAGES:
                raise InvalidResponseError(f"{self.registry} sends a list without an end")
            asked.add(url)
            page, url = self.asker.read(partial(self._get_page, url, scope))
            yield page

    def _get_page(self, url: str, scope: Scope) -> tuple[dict[str, Any], str | None]:
        """Return a page, and where the next one is."""
        is_tags = "/tags/list" in url
        # ghcr.io sends whoever asks for referrers to a page for people on another host.
        with self.asker.ask("GET", url, scope, follow=is_tags) as response:
            if not is_tags and response.status_code in _NO_LIST:
                raise _NoListError
            self.asker.expect(response, {200}, scope, "pull from", "tags" if is_tags else "")
            return read_json(response, self.registry), self._next_page(response)

    def _next_page(self, response: requests.Response) -> str | None:
        link = next_link(response)
        if link is None:
            return None
        target = urlsplit(joined(response.url, link) or "")
        # Behind a proxy that does TLS for it, a registry may say http; only path and query are
        # used.
        is_ours = same_host(target.geturl(), self.asker.base())
        if not is_ours or not target.path.startswith("/v2/"):
            raise InvalidResponseError(f"{self.registry} continues its list at another host")
        if not parse_qs(target.query):
            return None
        return f"{target.path.removeprefix('/v2/')}?{target.query}"


def _has_span(response: requests.Response, size: int | None) -> bool:
    """Check that a server did not refuse to send a part, nor sent a part of a compressed body."""
    if response.status_code == 206:
        return not is_packed(response, size)
    return status_of(response) not in _NO_RANGE
