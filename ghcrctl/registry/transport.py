"""HTTP requests with retries, redirects and timeouts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.content.retry import RetryPolicy, note_failure, used_attempts
from ghcrctl.content.wait_events import Wait
from ghcrctl.errors import (
    GhcrctlError,
    InterruptedByUserError,
    NetworkError,
)
from ghcrctl.registry.address_guard import AddressGuard
from ghcrctl.registry.body_stream import discard
from ghcrctl.registry.connections import Authorization, HttpSession
from ghcrctl.registry.endpoint import host_shown
from ghcrctl.registry.proxy_errors import check_proxy_response
from ghcrctl.registry.redirects import RedirectTrail
from ghcrctl.registry.temporary_refusals import is_temporary, retryable_error, status_of
from ghcrctl.registry.transport_errors import may_have_arrived, never_connected, translate_errors
from ghcrctl.registry.urls import origin, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from ghcrctl.registry.transport_options import TransportOptions

# A request with such a response may still have taken effect: many are sent by a proxy in front of
# the server. Too early (425) and too many requests (429) mean that it was not processed.
_UNCERTAIN = frozenset({408, 499, *range(500, 600)})


@dataclass(slots=True)
class Delivery:
    """The delivery state of a request that changes something.

    Args:
        is_uncertain: whether an attempt may have taken effect despite its failure, because its
            response was lost or was a server error.
    """

    is_uncertain: bool = False


@dataclass(frozen=True, slots=True)
class _Request:
    """A request with its options."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any
    authorization: str | None
    follow: bool
    options: TransportOptions
    delivery: Delivery

    @property
    def is_streamed(self) -> bool:
        """Whether the body can only be sent once."""
        return hasattr(self.body, "read")


class Transport:
    """Sends HTTP requests; safe to share between threads, since it keeps no cookies or headers.

    Args:
        options: transport options.
        guard: checks the addresses of hosts; a new one by default.
        waits_out_limits: whether requests refused by a rate limit are retried here.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        options: TransportOptions,
        *,
        guard: AddressGuard | None = None,
        waits_out_limits: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.options = options
        self.guard = guard or AddressGuard(options.check_host)
        self._waits_out_limits = waits_out_limits
        self._sleep = sleep
        self._session = HttpSession(options, self.guard)
        self._met: set[str] = set()
        if options.tls.insecure:
            import urllib3

            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def request(  # noqa: PLR0913 the parts of an HTTP request
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        authorization: str | None = None,
        follow: bool | None = None,
        options: TransportOptions | None = None,
        delivery: Delivery | None = None,
    ) -> requests.Response:
        """Send a request and return its response with any status; the body is not read yet.

        Retryable failures are retried. A streamed body is only sent once, so redirects and failures
        are left to the caller.

        Args:
            method: the HTTP method.
            url: the URL.
            headers: additional headers.
            body: bytes, or a stream.
            authorization: the ``Authorization`` header; not sent to other hosts on redirects.
            follow: whether to follow redirects; by default, not for HEAD, since storage hosts sign
                their URLs for GET only.
            options: options for this request; by default, the transport's own.
            delivery: updated after each attempt.

        Raises:
            NetworkError: no response was received.
            RedirectError: the redirects loop or lead to a forbidden URL.
        """
        if follow is None:
            follow = method != "HEAD"
        follow = follow and not hasattr(body, "read")
        return self._repeat(
            _Request(
                method,
                url,
                headers or {},
                body,
                authorization,
                follow,
                options or self.options,
                delivery or Delivery(),
            )
        )

    def _repeat(self, request: _Request) -> requests.Response:
        policy = request.options.retry
        attempt = used_attempts()
        while True:
            attempt += 1
            try:
                response = self._follow(request)
            except GhcrctlError as error:
                request.delivery.is_uncertain |= may_have_arrived(error)
                delay = None if request.is_streamed else policy.delay(attempt, error)
                if delay is None:
                    error.retryable = error.retryable and request.is_streamed
                    raise
                wait = Wait(str(error), delay, error.code, attempt + 1, policy.attempts)
            else:
                request.delivery.is_uncertain |= status_of(response) in _UNCERTAIN
                delay = None if request.is_streamed else self._delay(policy, attempt, response)
                if delay is None:
                    return response
                refusal = retryable_error(response, host_shown(response.url))
                wait = Wait(refusal.message, delay, refusal.code, attempt + 1, policy.attempts)
                discard(response)
            note_failure()
            self.options.waiting(wait)
            self._sleep(delay)

    def _follow(self, request: _Request) -> requests.Response:
        """Send a request and follow its redirects."""
        trail = RedirectTrail(
            request.method,
            request.url,
            follow=request.follow,
            insecure=self.options.tls.insecure,
        )
        while True:
            response = self._send_once(request, trail)
            try:
                if not trail.advance(response):
                    return response
            except BaseException:
                response.close()
                raise
            discard(response)

    def _send_once(self, request: _Request, trail: RedirectTrail) -> requests.Response:
        """Send a request to its current URL; fail fast if its host was never reached."""
        here = origin(trail.url)
        self.guard.check(trail.url)
        try:
            response = self._send(request, trail)
        except NetworkError as error:
            if here not in self._met and never_connected(error):
                error.retryable = False
            raise
        self._met.add(here)
        return response

    def reconnect(self) -> None:
        """Use new connections, to other addresses where possible, after receiving wrong bytes."""
        self._session.reconnect()

    def close(self) -> None:
        """Close all open connections."""
        self._session.close()

    def _delay(
        self, policy: RetryPolicy, attempt: int, response: requests.Response
    ) -> float | None:
        waits = self._waits_out_limits or status_of(response) != 429
        if not (waits and is_temporary(response)):
            return None
        return policy.delay(attempt, retryable_error(response, ""))

    def _send(self, request: _Request, trail: RedirectTrail) -> requests.Response:
        options, url = request.options, trail.url
        usual = {"User-Agent": options.user_agent, "Accept-Encoding": "identity"}
        began = time.monotonic()
        proxy = self._session.proxy_for(url)
        with translate_errors(url, moving=request.is_streamed, proxy=proxy):
            response = self._session.request(
                request.method,
                url,
                headers={**usual, **request.headers},
                data=request.body,
                auth=Authorization(request.authorization if trail.is_home else None),
                allow_redirects=False,
                stream=True,
                timeout=(options.connect_timeout, options.stall_timeout),
                verify=not options.tls.insecure,
            )
        self._abandon_if_closed(response)
        if proxy:
            check_proxy_response(response, proxy)
        if request.method == "HEAD" or response.headers.get("Content-Length") == "0":
            # urllib3 only releases a connection after reading the body, even an empty one.
            discard(response)
        if options.debug:
            took = (time.monotonic() - began) * 1000
            options.debug(f"{request.method} {shown(url)} {response.status_code} {took:.0f} ms")
        return response

    def _abandon_if_closed(self, response: requests.Response) -> None:
        """Raise an error if the session was closed during the request."""
        if self._session.is_closed:
            response.close()
            self._session.close()
            raise InterruptedByUserError("interrupted")
