"""One session of HTTP: connections, redirects, retries, time-outs.

What belongs here: getting an answer to one request. What does not: what to ask and what the answer
means (``client``), tokens (``auth``).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.content.waits import Wait, untold
from ghcrctl.errors import (
    GhcrctlError,
    InterruptedByUserError,
    InvalidResponseError,
    RateLimitedError,
    RedirectError,
    RegistryUnavailableError,
)
from ghcrctl.registry.bodies import error_text, let_go
from ghcrctl.registry.endpoint import TlsPolicy, host_shown, is_inward, is_loopback, ssl_context
from ghcrctl.registry.faults import in_words
from ghcrctl.registry.waiting import wait_asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ghcrctl.content.waits import Waiting

MAX_REDIRECTS = 10
_RETRIED = frozenset({408, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BLOCK = 512 * 1024


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How to talk.

    Args:
        connect_timeout: seconds to wait for a connection.
        stall_timeout: seconds without a byte after which a connection is given up.
        retry: how patiently a request is tried again.
        tls: whom to trust.
        user_agent: who we are.
        jobs: how many pieces of content move at once, each through a connection of its own.
        connections: how many more read ahead in large ones; with 1, each is read in one go.
        chunk: bytes of a piece in which blobs are sent; 0 sends each whole where that is possible.
        debug: is told each request and its answer, without secrets.
        waiting: is told of each wait.
    """

    connect_timeout: float = 15.0
    stall_timeout: float = 60.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    tls: TlsPolicy = field(default_factory=TlsPolicy)
    user_agent: str = "ghcrctl"
    jobs: int = 12
    connections: int = 6
    chunk: int = 0
    debug: Callable[[str], None] | None = None
    waiting: Waiting = untold


class _Adapter(HTTPAdapter):
    """An adapter with a TLS context of ours for each host, and larger blocks for uploads."""

    def __init__(self, options: TransportOptions, host: str) -> None:
        self._options = options
        self._host = host
        super().__init__(pool_connections=4, pool_maxsize=options.jobs + options.connections + 2)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Give the pool our context."""
        kwargs |= self._pool_options()
        super().init_poolmanager(*args, **kwargs)

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """Give the pool behind a proxy our context too."""
        if proxy not in self.proxy_manager:
            proxy_kwargs |= self._pool_options()
        return super().proxy_manager_for(proxy, **proxy_kwargs)

    def _pool_options(self) -> dict[str, Any]:
        return {"ssl_context": ssl_context(self._options.tls, self._host), "blocksize": _BLOCK}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002 the library's signature
        """Leave trust to the context: the library would add its own list of authorities."""
        conn.cert_reqs = "CERT_REQUIRED" if verify else "CERT_NONE"

    def close(self) -> None:
        """Close the connections now; the library leaves that to the garbage collector."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118 the library's container cannot iterate
                pool = manager.pools.get(key)
                if pool:
                    pool.close()
        super().close()


class _Session(requests.Session):
    """A session that threads may share, and that leaves redirects to us."""

    def __init__(self, options: TransportOptions) -> None:
        super().__init__()
        self._options = options
        self._by_origin: dict[str, _Adapter] = {}
        self._proxies: dict[str, Any] = {}
        self._lock = threading.Lock()
        self.is_closed = False
        self.headers.clear()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get_adapter(self, url: str | bytes) -> _Adapter:
        """Return the adapter of a host, of its own, since certificates are by host.

        Raises:
            InterruptedByUserError: the session was closed: a thread that nobody waits for asks.
        """
        origin = _origin(str(url))
        with self._lock:
            if self.is_closed:
                raise InterruptedByUserError("interrupted")
            if origin not in self._by_origin:
                self._by_origin[origin] = _Adapter(self._options, urlsplit(origin).netloc)
            return self._by_origin[origin]

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """Look for a host's proxy in the environment once, and not at each request."""
        origin = _origin(str(url))
        with self._lock:
            if origin not in self._proxies:
                found = super().merge_environment_settings(url, proxies, stream, verify, cert)
                self._proxies[origin] = found["proxies"]
            known = self._proxies[origin]
        return {"proxies": dict(known), "stream": stream, "verify": verify, "cert": cert}

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Name none: the library would read the whole body, and fail at odd addresses."""

    def close(self) -> None:
        """Close the connections to every host, and open no more."""
        with self._lock:
            self.is_closed = True
            adapters = list(self._by_origin.values())
        for adapter in adapters:
            adapter.close()
        super().close()


class _Authorization(AuthBase):
    """Sets one header, or none; being there keeps ``~/.netrc`` out of it."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._value:
            request.headers["Authorization"] = self._value
        return request


class Transport:
    """One session; threads may share it, since nothing in it changes: no cookies, no headers."""

    def __init__(
        self, options: TransportOptions, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.options = options
        self._sleep = sleep
        self._session = _Session(options)
        if options.tls.insecure:
            import urllib3

            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        authorization: str | None = None,
        follow: bool = True,
    ) -> requests.Response:
        """Send a request and return its answer, whatever its status; the body is not read yet.

        Redirects of a GET are followed unless ``follow`` says not to, retryable failures are tried
        again. A body that is a stream is sent once only.

        Raises:
            NetworkError: no answer came.
            RedirectError: a redirect leads in a circle or to a place that must not be followed.
        """
        streamed = hasattr(body, "read")
        attempt = 0
        while True:
            attempt += 1
            try:
                if follow and method == "GET":
                    response = self._follow(url, headers or {}, authorization)
                else:
                    response = self._send(method, url, headers or {}, body, authorization)
            except GhcrctlError as error:
                delay = None if streamed else self.options.retry.delay(attempt, error)
                if delay is None:
                    error.retryable = error.retryable and streamed
                    raise
                wait = Wait(str(error), delay, error.code)
            else:
                delay = None if streamed else self._delay(attempt, response)
                if delay is None:
                    return response
                wait = _wait(url, response.status_code, delay)
                let_go(response)
            self.options.waiting(wait)
            self._sleep(delay)

    def close(self) -> None:
        """Close the connections that are open."""
        self._session.close()

    def _delay(self, attempt: int, response: requests.Response) -> float | None:
        if response.status_code not in _RETRIED:
            return None
        message = error_text(response) if response.status_code == 429 else ""
        asked = wait_asked(response.headers.get("Retry-After"), message)
        error = GhcrctlError("", retryable=True, retry_after=asked)
        return self.options.retry.delay(attempt, error)

    def _follow(
        self, url: str, headers: Mapping[str, str], authorization: str | None
    ) -> requests.Response:
        """Get what is where redirects lead; the credential goes to the first host only.

        A redirected HEAD is an answer by itself: storage hosts sign their addresses for GET alone.
        """
        origin = _origin(url)
        visited = {url}
        for _ in range(MAX_REDIRECTS + 1):
            own = authorization if _origin(url) == origin else None
            response = self._send("GET", url, headers, None, own)
            target = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or not target:
                return response
            let_go(response)
            url = self._target(url, target)
            if url in visited:
                break
            visited.add(url)
        raise RedirectError(f"{_shown_origin(origin)} redirects in a circle")

    def _target(self, url: str, location: str) -> str:
        target = joined(url, location)
        if target is None:
            raise RedirectError(f"{_shown_origin(url)} redirects to what is no web address")
        parts = urlsplit(target)
        downgraded = urlsplit(url).scheme == "https" and parts.scheme == "http"
        if downgraded and not (self.options.tls.insecure or is_loopback(parts.netloc)):
            raise RedirectError(
                f"{_shown_origin(url)} redirects from https to plain http ({host_shown(target)})"
            )
        if is_inward(parts.netloc) and not is_inward(urlsplit(url).netloc):
            # A registry elsewhere has no business with this machine's own services.
            raise RedirectError(
                f"{_shown_origin(url)} redirects to an address of this machine "
                f"({host_shown(target)})"
            )
        return target

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Any,
        authorization: str | None,
    ) -> requests.Response:
        options = self.options
        began = time.monotonic()
        sent = {"User-Agent": options.user_agent, "Accept-Encoding": "identity", **headers}
        with in_words(url, moving=hasattr(body, "read")):
            response = self._session.request(
                method,
                url,
                headers=sent,
                data=body,
                auth=_Authorization(authorization),
                allow_redirects=False,
                stream=True,
                timeout=(options.connect_timeout, options.stall_timeout),
                verify=not options.tls.insecure,
            )
        if self._session.is_closed:
            # It was closed meanwhile: a thread that nobody waits for leaves no connection behind.
            response.close()
            self._session.close()
            raise InterruptedByUserError("interrupted")
        if method == "HEAD" or response.headers.get("Content-Length") == "0":
            # Only reading to the end gives the connection back, even where there is nothing.
            let_go(response)
        if options.debug:
            took = (time.monotonic() - began) * 1000
            options.debug(f"{method} {_shown(url)} {response.status_code} {took:.0f} ms")
        return response


def _wait(url: str, status: int, delay: float) -> Wait:
    host = host_shown(url)
    if status == 429:
        return Wait(f"{host} asks for fewer requests (status 429)", delay, RateLimitedError.code)
    return Wait(f"{host} answers with status {status}", delay, RegistryUnavailableError.code)


def joined(url: str, location: str) -> str | None:
    """Return where a ``Location`` or ``Link`` leads; ``None`` for what is no web address."""
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    # Programs disagree on where a host ends that has one of these: what is checked must be asked.
    odd = any(not "!" <= c <= "~" or c in '\\"<>^`{|}' for c in parts.netloc)
    return None if odd else target


def _origin(url: str) -> str:
    """Return scheme, host and port.

    Raises:
        InvalidResponseError: it is no address. Those of people are read before they come here.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InvalidResponseError(f"{host_shown(url)} is no valid address") from None
    return f"{parts.scheme}://{parts.netloc}"


def _shown_origin(url: str) -> str:
    return f"{urlsplit(url).scheme}://{host_shown(url)}"


def _shown(url: str) -> str:
    """Leave out the query, which may hold a signature, and what stands before the host."""
    return f"{_shown_origin(url)}{urlsplit(url).path}"
