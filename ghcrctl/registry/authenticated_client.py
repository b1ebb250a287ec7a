"""Asking one registry: where it is, what authorizes a request, what its refusal means.

What belongs here: what every request has in common. What does not: what is asked (``client``,
``uploads``), tokens (``auth``), connections (``transport``).
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from ghcrctl.content.rate_limit_waits import report_retries
from ghcrctl.content.retry import RetryPolicy, retry
from ghcrctl.errors import (
    ConnectionFailedError,
    NetworkError,
    ProxyError,
    TimedOutError,
    TlsError,
)
from ghcrctl.registry.auth import Authenticator
from ghcrctl.registry.authorized_request import AuthorizedRequest
from ghcrctl.registry.body_stream import error_text, let_go
from ghcrctl.registry.endpoint import host_of, host_shown, is_loopback, spellings
from ghcrctl.registry.refusals import Refusal, explain
from ghcrctl.registry.transport import Transport
from ghcrctl.registry.urls import origin

Result = TypeVar("Result")
# Seconds for a connection and its TLS handshake, while it is open whether there is TLS.
_PROBE_SECONDS = 3.0

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from ghcrctl.credentials.credential import Credential
    from ghcrctl.credentials.credential_chain import Keychain
    from ghcrctl.errors import GhcrctlError
    from ghcrctl.registry.auth import Scope
    from ghcrctl.registry.transport_options import TransportOptions


class Asker:
    """Sends requests to one registry; threads may share it.

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
        self.options = options
        self.transport = Transport(options)
        self._auth = Authenticator(
            registry,
            lambda repository: _credential(keychain, registry, repository),
            self.transport,
            warn,
        )
        self._base: str | None = None
        self._lock = threading.Lock()

    def base(self) -> str:
        """Return the registry's address.

        Plain HTTP is tried on this machine and where it is allowed, after TLS, as docker does.
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
        """Return the address that responds: TLS is tried first, and not for long."""
        secure, plain = f"https://{host}", f"http://{host}"
        found = self._try(secure)
        if isinstance(found, int):
            return secure
        if "certificate" in found.message or isinstance(found, ProxyError):
            raise found
        if isinstance(found, TlsError | ConnectionFailedError):
            return plain
        # The server is silent, or hangs up. To plain HTTP one that speaks TLS responds with 400.
        other = self._try(plain)
        if isinstance(found, TimedOutError) and isinstance(other, TimedOutError):
            # The host is silent whatever it is sent: a second handshake would only take longer.
            raise other
        return plain if isinstance(other, int) and other != 400 else secure

    def _try(self, url: str) -> int | NetworkError:
        """Return the status of a registry's response at an address, or the error."""
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
        let_go(response)
        return response.status_code

    def is_own(self, url: str) -> bool:
        """Tell whether an address is the registry's own, so that its credentials go there."""
        return origin(url) == origin(self.base())

    def ask(  # noqa: PLR0913 all that a request is
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
        """Send a request below ``/v2/``, as `Transport.request` does."""
        url = f"{self.base()}/v2/{path}"
        return self.send(
            method, url, scope, headers=headers, body=body, follow=follow, options=options
        )

    def send(  # noqa: PLR0913 all that a request is
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
        """Send a request with what authorizes it, answering a challenge.

        A body that is a stream cannot be sent again: after a 401 it is for the caller to try again,
        for which there is a new token then.
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
                # A GET in place of a HEAD leads nowhere else either.
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
        """Raise what an answer means whose status is none of those expected.

        Args:
            response: the answer.
            statuses: what is expected.
            scope: what was asked for.
            action: what was done, as ``push to`` or ``pull from``.
            what: what it was about, such as a tag or a digest.
        """
        if response.status_code not in statuses:
            raise self.refused(response, scope, action, what)

    def refused(
        self, response: requests.Response, scope: Scope, action: str, what: str
    ) -> GhcrctlError:
        """Return what a refusal means; retryable only where the request was not repeated yet."""
        error = explain(self.refusal(response, scope, action, what))
        error.retryable = error.retryable and hasattr(response.request.body, "read")
        return error

    def read(self, act: Callable[[], Result]) -> Result:
        """Read an answer whole, asking again where the connection breaks on the way."""
        return retry(act, self.options.retry, on_retry=report_retries(self.options.waiting))

    def refusal(self, response: requests.Response, scope: Scope, action: str, what: str) -> Refusal:
        """Return a refusal with all that is known of it."""
        # What was redirected to another host got no credential.
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


def _credential(keychain: Keychain | None, registry: str, repository: str) -> Credential | None:
    """Return the credential for a registry, whether or not its name has the default port."""
    if keychain is None:
        return None
    found = (keychain.find(name, repository) for name in spellings(registry))
    return next(filter(None, found), None)
