"""Sends authenticated requests to one registry and translates its refusals into errors."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from ghcrctl.content.retry import RetryPolicy, retry
from ghcrctl.content.wait_events import report_retries
from ghcrctl.errors import (
    ConnectionFailedError,
    NetworkError,
    ProxyError,
    TimedOutError,
    TlsError,
)
from ghcrctl.registry.auth import Authenticator
from ghcrctl.registry.authorized_request import AuthorizedRequest
from ghcrctl.registry.body_stream import discard, error_text
from ghcrctl.registry.endpoint import host_of, host_shown, is_loopback, spellings
from ghcrctl.registry.refusals import Refusal, explain_refusal
from ghcrctl.registry.transport import Transport
from ghcrctl.registry.urls import origin

Result = TypeVar("Result")
# Limit for connecting, including TLS, while it is unknown whether the registry uses TLS.
_PROBE_SECONDS = 3.0

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from ghcrctl.credentials.credential import Credential
    from ghcrctl.credentials.credential_chain import CredentialChain
    from ghcrctl.errors import GhcrctlError
    from ghcrctl.registry.auth import Scope
    from ghcrctl.registry.transport_options import TransportOptions


class AuthenticatedClient:
    """An HTTP client for one registry that authorizes its requests; safe to share between threads.

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
        self.options = options
        self.transport = Transport(options)
        self._auth = Authenticator(
            registry,
            lambda repository: _credential(credentials, registry, repository),
            self.transport,
            warn,
        )
        self._base: str | None = None
        self._lock = threading.Lock()

    def base(self) -> str:
        """Return the registry's base URL.

        If the registry is on this machine or listed as insecure, plain HTTP is tried after TLS, as
        docker does.
        """
        with self._lock:
            if self._base is None:
                host = host_of(self.registry)
                self._base = f"https://{host}"
                if is_loopback(host) or self.options.tls.insecure:
                    self._base = self._probe(host)
                self.transport.guard.trust(self._base)
            return self._base

    def _probe(self, host: str) -> str:
        """Return the base URL that responds: TLS is tried first, with a short timeout."""
        secure, plain = f"https://{host}", f"http://{host}"
        found = self._try(secure)
        if isinstance(found, int):
            return secure
        if "certificate" in found.message or isinstance(found, ProxyError):
            raise found
        if isinstance(found, TlsError | ConnectionFailedError):
            return plain
        # The server is silent or hangs up. A TLS server answers plain HTTP with 400.
        other = self._try(plain)
        if isinstance(found, TimedOutError) and isinstance(other, TimedOutError):
            # The host never responds, so trying TLS again would only take longer.
            raise other
        return plain if isinstance(other, int) and other != 400 else secure

    def _try(self, url: str) -> int | NetworkError:
        """Return the status that the registry returns at a base URL, or the network error."""
        options = replace(
            self.options,
            retry=RetryPolicy(attempts=1),
            connect_timeout=min(
                self.options.connect_timeout, self.options.stall_timeout, _PROBE_SECONDS
            ),
        )
        self.transport.guard.trust(url)
        try:
            response = self.transport.request("GET", f"{url}/v2/", follow=False, options=options)
        except NetworkError as error:
            return error
        discard(response)
        return response.status_code

    def is_own(self, url: str) -> bool:
        """Check whether a URL is on the registry itself and may receive credentials."""
        return origin(url) == origin(self.base())

    def request(  # noqa: PLR0913 the parts of an HTTP request
        self,
        method: str,
        path: str,
        scope: Scope,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        follow: bool | None = None,
        options: TransportOptions | None = None,
    ) -> requests.Response:
        """Send a request to a path below ``/v2/``; the arguments are those of `send`."""
        url = f"{self.base()}/v2/{path}"
        return self.send(
            method, url, scope, headers=headers, body=body, follow=follow, options=options
        )

    def send(  # noqa: PLR0913 the parts of an HTTP request
        self,
        method: str,
        url: str,
        scope: Scope,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        follow: bool | None = None,
        options: TransportOptions | None = None,
    ) -> requests.Response:
        """Send a request with an ``Authorization`` header, and answer challenges.

        A streamed body cannot be sent twice. After a 401 the caller has to repeat the request; the
        new token is available by then.
        """
        if not self.is_own(url):
            return self.transport.request(
                method, url, headers=headers, body=body, follow=follow, options=options
            )

        is_head = method == "HEAD"

        def send(method: str, authorization: str | None) -> requests.Response:
            return self.transport.request(
                method,
                url,
                headers=headers,
                body=body,
                authorization=authorization,
                # The GET that replaces a HEAD must not follow redirects either.
                follow=False if is_head and follow is None else follow,
                options=options,
            )

        request = AuthorizedRequest(
            self._auth, scope, method, url, self.base(), hasattr(body, "read"), send
        )
        return request.respond()

    def expect(
        self, response: requests.Response, statuses: set[int], scope: Scope, action: str, what: str
    ) -> None:
        """Raise the error for a response with an unexpected status.

        Args:
            response: the response.
            statuses: the expected statuses.
            scope: the access the request needs.
            action: the action for the message, such as ``push to`` or ``pull from``.
            what: the tag or digest of the request, or an empty string.
        """
        if response.status_code not in statuses:
            raise self.refusal_error(response, scope, action, what)

    def refusal_error(
        self, response: requests.Response, scope: Scope, action: str, what: str
    ) -> GhcrctlError:
        """Return the error for a refusal; retryable unless the transport retried it already."""
        error = explain_refusal(self.refusal(response, scope, action, what))
        error.retryable = error.retryable and hasattr(response.request.body, "read")
        return error

    def read(self, act: Callable[[], Result]) -> Result:
        """Call a function that reads a whole response, with retries if the connection breaks."""
        return retry(act, self.options.retry, on_retry=report_retries(self.options.waiting))

    def refusal(self, response: requests.Response, scope: Scope, action: str, what: str) -> Refusal:
        """Collect the facts about a refused request."""
        # Redirected requests are sent to other hosts without credentials.
        is_own = self.is_own(response.url)
        credential = self._auth.credential(scope) if is_own else None
        return Refusal(
            registry=self.registry,
            repository=scope.grants[0][0] if scope.grants else "",
            action=action,
            what=what,
            status=response.status_code,
            text=error_text(response),
            headers=response.headers,
            signed_in=credential.source if credential else "",
            other_host="" if is_own else host_shown(response.url),
        )


def _credential(
    credentials: CredentialChain | None, registry: str, repository: str
) -> Credential | None:
    """Return the credential for a registry, stored with or without the default port."""
    if credentials is None:
        return None
    found = (credentials.find(name, repository) for name in spellings(registry))
    return next(filter(None, found), None)
