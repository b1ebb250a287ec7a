"""Connection pools that use our TLS contexts and only connect to checked addresses."""

from __future__ import annotations

import socket
import threading
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection
from urllib3.util.connection import allowed_gai_family, create_connection

from ghcrctl.errors import InterruptedByUserError
from ghcrctl.registry.endpoint import host_shown, ssl_context
from ghcrctl.registry.handshakes import TimedHTTPSConnection
from ghcrctl.registry.proxies import ProxyRules, proxy_headers
from ghcrctl.registry.urls import origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.registry.address_guard import AddressGuard
    from ghcrctl.registry.proxies import Proxy
    from ghcrctl.registry.transport_options import TransportOptions

    # Takes an address, and whether it belongs to an interface of this machine.
    Admit = Callable[..., None]

_BLOCK_BYTES = 512 * 1024


class AddressOrder:
    """The order in which a host's addresses are tried; safe to share between threads.

    Addresses that sent corrupted bytes come last, since another one may be a healthy server.
    """

    def __init__(self) -> None:
        self._reached: set[str] = set()
        self._suspect: set[str] = set()

    def sorted(self, addresses: list[str]) -> list[str]:
        """Return addresses in the resolver's order, suspect ones last."""
        return sorted(addresses, key=self._suspect.__contains__)

    def note(self, address: str) -> None:
        """Record an address that was connected to."""
        self._reached.add(address)

    def mark_suspect(self) -> None:
        """Move all addresses used so far to the end of the order."""
        self._suspect, self._reached = self._suspect | self._reached, set()


def _connect(connection: HTTPConnection, admit: Admit, order: AddressOrder) -> socket.socket:
    """Resolve a host once, check every address, and connect to the first that accepts."""
    host, port = connection._dns_host.strip("[]"), connection.port  # noqa: SLF001 as its base class
    try:
        found = socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        cause = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        raise urllib3.exceptions.NameResolutionError(connection.host, connection, cause) from error
    addresses = order.sorted([str(entry[4][0]) for entry in found])
    for address in addresses:
        admit(address)
    connected = _connect_to_first(connection, addresses)
    order.note(str(connected.getpeername()[0]))
    # A connection to one of this machine's own addresses comes from that address.
    if connected.getsockname()[0] == connected.getpeername()[0]:
        _admit_own(connected, admit)
    return connected


def _admit_own(connected: socket.socket, admit: Admit) -> None:
    try:
        admit(connected.getpeername()[0], is_own=True)
    except BaseException:
        connected.close()
        raise


def _connect_to_first(connection: HTTPConnection, addresses: list[str]) -> socket.socket:
    failure: OSError = OSError("the name has no address")
    for address in addresses:
        try:
            return create_connection(
                (address, connection.port),
                connection.timeout,
                source_address=connection.source_address,
                socket_options=connection.socket_options,
            )
        except OSError as error:
            failure = error
    if isinstance(failure, TimeoutError):
        raise urllib3.exceptions.ConnectTimeoutError(
            connection, f"timed out (connect timeout={connection.timeout})"
        ) from failure
    raise urllib3.exceptions.NewConnectionError(connection, str(failure)) from failure


class _GuardedHTTPConnection(HTTPConnection):
    def __init__(self, *args: Any, admit: Admit, order: AddressOrder, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._admit = admit
        self._order = order

    def _new_conn(self) -> socket.socket:
        return _connect(self, self._admit, self._order)


class _GuardedHTTPSConnection(TimedHTTPSConnection):
    def __init__(self, *args: Any, admit: Admit, order: AddressOrder, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._admit = admit
        self._order = order

    def _new_conn(self) -> socket.socket:
        return _connect(self, self._admit, self._order)


class _ProxiedTlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = TimedHTTPSConnection


_PROXIED_POOLS = {"http": urllib3.HTTPConnectionPool, "https": _ProxiedTlsPool}


class _Adapter(HTTPAdapter):
    """An adapter with our own TLS context for each host, and larger blocks for uploads."""

    def __init__(
        self, options: TransportOptions, url: str, guard: AddressGuard, order: AddressOrder
    ) -> None:
        self._options = options
        self._url = url
        self._guard = guard
        self._order = order
        super().__init__(pool_connections=4, pool_maxsize=options.jobs + options.connections + 2)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pools with our TLS context and connections that check addresses."""
        kwargs |= self._pool_options()
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(self._pool, urllib3.HTTPConnectionPool, _GuardedHTTPConnection),
            "https": partial(self._pool, urllib3.HTTPSConnectionPool, _GuardedHTTPSConnection),
        }

    def _pool(self, kind: Any, connection: Any, *args: Any, **kwargs: Any) -> Any:
        pool = kind(*args, **kwargs)
        admit = partial(self._guard.admit, self._url)
        pool.ConnectionCls = partial(connection, admit=admit, order=self._order)
        return pool

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """Use our TLS context behind a proxy too. The proxy resolves names, so none are checked."""
        if proxy not in self.proxy_manager:
            proxy_kwargs |= self._pool_options()
            if proxy.startswith("https:"):
                context = ssl_context(self._options.tls, host_shown(proxy))
                proxy_kwargs["proxy_ssl_context"] = context
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        if not proxy.startswith("socks"):
            manager.pool_classes_by_scheme = _PROXIED_POOLS
        return manager

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Return the proxy credential; the library's own code fails beyond Latin-1."""
        return proxy_headers(proxy)

    def _pool_options(self) -> dict[str, Any]:
        host = urlsplit(self._url).netloc
        return {"ssl_context": ssl_context(self._options.tls, host), "blocksize": _BLOCK_BYTES}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002 the library's signature
        """Leave trust to our context; the library would add its own CA bundle."""
        conn.cert_reqs = "CERT_REQUIRED" if verify else "CERT_NONE"

    def close(self) -> None:
        """Close all connections now; the library leaves them to the garbage collector."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118 the library's container cannot iterate
                pool = manager.pools.get(key)
                if pool:
                    pool.close()
        super().close()


class HttpSession(requests.Session):
    """A session that threads may share, with redirects left to the transport.

    Args:
        options: transport options.
        guard: checks the addresses of hosts.
    """

    def __init__(self, options: TransportOptions, guard: AddressGuard) -> None:
        super().__init__()
        self._options = options
        self._guard = guard
        self._by_origin: dict[str, _Adapter] = {}
        self._former: list[_Adapter] = []
        self._order = AddressOrder()
        self._proxies: dict[str, Proxy | None] = {}
        self._lock = threading.Lock()
        self.is_closed = False
        self.headers.clear()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get_adapter(self, url: str | bytes) -> _Adapter:
        """Return the adapter for a host; each host has its own, since certificates are per host.

        Raises:
            InterruptedByUserError: the session was closed, so this thread must stop.
        """
        key = origin(str(url))
        with self._lock:
            if self.is_closed:
                raise InterruptedByUserError("interrupted")
            if key not in self._by_origin:
                self._by_origin[key] = _Adapter(self._options, key, self._guard, self._order)
            return self._by_origin[key]

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """Return the proxy for a URL, by docker's rules instead of the library's."""
        del proxies
        proxy = self.proxy_for(str(url))
        chosen = {"http": proxy.url, "https": proxy.url} if proxy else {}
        return {"proxies": chosen, "stream": stream, "verify": verify, "cert": cert}

    def proxy_for(self, url: str) -> Proxy | None:
        """Return the proxy for a URL; the settings are read once per host.

        Raises:
            ProxyError: the proxy setting is invalid.
        """
        key = origin(url)
        with self._lock:
            if key not in self._proxies:
                rules = self._options.proxies or ProxyRules.of_this_process()
                self._proxies[key] = rules.find(key)
            return self._proxies[key]

    def reconnect(self) -> None:
        """Use new connections from now on, to other addresses of each host where possible."""
        with self._lock:
            # Requests in progress still use the former adapters.
            self._former += self._by_origin.values()
            self._by_origin = {}
            self._order.mark_suspect()

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return no target: the library would read the whole body and fail on malformed URLs."""

    def close(self) -> None:
        """Close all connections and refuse new ones."""
        with self._lock:
            self.is_closed = True
            adapters = [*self._former, *self._by_origin.values()]
        for adapter in adapters:
            adapter.close()
        super().close()


class Authorization(AuthBase):
    """Sets the ``Authorization`` header, or none; its presence disables ``~/.netrc``."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set the header."""
        if self._value:
            request.headers["Authorization"] = self._value
        return request
