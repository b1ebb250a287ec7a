"""One session of HTTP: connections, redirects, retries, time-outs.

What belongs here: getting an answer to one request. What does not: what to ask and what the answer
means (``client``), tokens (``auth``).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.content.rate_limit_waits import Wait
from ghcrctl.content.retry import RetryPolicy, note_failure, used_attempts
from ghcrctl.errors import (
    GhcrctlError,
    InterruptedByUserError,
    NetworkError,
)
from ghcrctl.registry.address_guard import AddressGuard
from ghcrctl.registry.body_stream import let_go
from ghcrctl.registry.connections import Authorization, HttpSession
from ghcrctl.registry.endpoint import host_shown
from ghcrctl.registry.proxy_errors import check_proxy_response
from ghcrctl.registry.redirects import RedirectTrail
from ghcrctl.registry.temporary_refusals import is_temporary, retryable_error, status_of
from ghcrctl.registry.transport_errors import in_words, may_have_arrived, never_connected
from ghcrctl.registry.urls import origin, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from ghcrctl.registry.transport_options import TransportOptions

# A request with such a response may have taken effect all the same: a proxy in front of the server
# sends most of them. Too early (425) and too many (429) mean that it was not processed.
_UNCERTAIN = frozenset({408, 499, *range(500, 600)})


@dataclass(slots=True)
class Delivery:
    """What is known about the delivery of a request that changes something.

    Args:
        is_uncertain: whether an attempt may have taken effect although it failed, since its
            response was lost or was an error of the server.
    """

    is_uncertain: bool = False


@dataclass(frozen=True, slots=True)
class _Request:
    """One request, as often as it is sent."""

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
        """Whether the body can be sent once only."""
        return hasattr(self.body, "read")


class Transport:
    """One session; threads may share it, since nothing in it changes: no cookies, no headers.

    Args:
        options: how to talk.
        guard: checks the addresses of hosts; by default a new one.
        waits_out_limits: whether a request that a rate limit refused is sent again here.
        sleep: waits for seconds.
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

    def request(  # noqa: PLR0913 all that a request is
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
        """Send a request and return its response, whatever its status; the body is not read yet.

        Retryable failures are tried again. A body that is a stream is sent once only, so that a
        redirect of it is a response.

        Args:
            method: of the request.
            url: where it goes.
            headers: in addition to the usual ones.
            body: bytes, or a stream.
            authorization: for the first host only, wherever redirects lead.
            follow: whether redirects are followed: by default those of a HEAD are not, since
                storage hosts sign their addresses for GET alone.
            options: how patiently; the transport's own where they are not given.
            delivery: is updated after each attempt.

        Raises:
            NetworkError: no response came.
            RedirectError: a redirect leads in a circle or to a place that must not be followed.
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
                let_go(response)
            note_failure()
            self.options.waiting(wait)
            self._sleep(delay)

    def _follow(self, request: _Request) -> requests.Response:
        """Send a request, and send it again where redirects lead."""
        trail = RedirectTrail(
            request.method,
            request.url,
            follow=request.follow,
            insecure=self.options.tls.insecure,
        )
        while True:
            response = self._meet(request, trail)
            try:
                if not trail.advance(response):
                    return response
            except BaseException:
                response.close()
                raise
            let_go(response)

    def _meet(self, request: _Request, trail: RedirectTrail) -> requests.Response:
        """Send a request to where it goes now; a host that was never met is not tried again."""
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
        """Open new connections, to other addresses: those so far sent wrong bytes."""
        self._session.reconnect()

    def close(self) -> None:
        """Close the connections that are open."""
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
        with in_words(url, moving=request.is_streamed, proxy=proxy):
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
            # Only reading to the end gives the connection back, even where there is nothing.
            let_go(response)
        if options.debug:
            took = (time.monotonic() - began) * 1000
            options.debug(f"{request.method} {shown(url)} {response.status_code} {took:.0f} ms")
        return response

    def _abandon_if_closed(self, response: requests.Response) -> None:
        """Close the connection if this thread was abandoned."""
        if self._session.is_closed:
            response.close()
            self._session.close()
            raise InterruptedByUserError("interrupted")
