"""Translates the errors of `requests` and `urllib3`; no exception of theirs leaves this package."""

from __future__ import annotations

import re
from contextlib import contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING

import requests
import urllib3

from ghcrctl.content.exhausted_resources import exhausted
from ghcrctl.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    GhcrctlError,
    InvalidResponseError,
    NetworkError,
    RedirectError,
    TimedOutError,
    TlsError,
)
from ghcrctl.registry.endpoint import host_shown
from ghcrctl.registry.proxy_errors import proxy_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.registry.proxies import Proxy

_HTTP_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


@contextmanager
def translate_errors(
    url: str, *, moving: bool = False, proxy: Proxy | None = None
) -> Iterator[None]:
    """Translate the HTTP library's errors while communicating with a host.

    Args:
        url: the URL of the request; only its host is shown.
        moving: whether the transfer of the body had started.
        proxy: the proxy in use.
    """
    try:
        yield
    except GhcrctlError:
        raise
    except _HTTP_ERRORS as error:
        raise translate(error, host_shown(url), moving=moving, proxy=proxy) from error
    except (ValueError, HTTPException) as error:
        # The library does not validate everything, such as the length of a chunk.
        raise InvalidResponseError(
            f"{host_shown(url)} returned an invalid HTTP response"
        ) from error


def translate(
    error: BaseException, host: str, *, moving: bool, proxy: Proxy | None = None
) -> GhcrctlError:
    """Return the error for an exception of the HTTP library.

    Args:
        error: the exception.
        host: the host of the request.
        moving: whether the transfer of the body had started.
        proxy: the proxy in use.
    """
    if scarce := exhausted(error):
        return scarce
    chain = list(_chain(error))
    text = " ".join(str(e) for e in chain)
    found = proxy_error(chain, text, host, proxy) if proxy else None
    if found:
        return found
    for kinds, build in _BUILDERS:
        if _any(chain, *kinds):
            return build(host, text)
    if moving or _any(chain, urllib3.exceptions.ProtocolError):
        return ConnectionLostError(f"the connection to {host} was lost", retryable=True)
    return _not_connected(host, text)


def never_connected(error: NetworkError) -> bool:
    """Check whether an error means that no connection was established."""
    cause = error.__cause__
    return isinstance(error, ConnectionFailedError) or isinstance(
        cause, requests.exceptions.ConnectTimeout
    )


def may_have_arrived(error: GhcrctlError) -> bool:
    """Check whether a request may have reached its host although no response was received."""
    if isinstance(error, (TlsError, RedirectError)) or not isinstance(error, NetworkError):
        return False
    return not never_connected(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all its causes, including those in its arguments."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        item = queue.pop(0)
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        queue += [*item.args, item.__cause__, item.__context__, getattr(item, "reason", None)]


def _any(chain: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(error, kinds) for error in chain)


# TLS alerts of a server that requires a client certificate or does not trust the one sent.
_CERTIFICATE_ALERTS = (
    "ALERT_BAD_CERTIFICATE",
    "ALERT_CERTIFICATE_",
    "ALERT_UNKNOWN_CA",
    "ALERT_UNSUPPORTED_CERTIFICATE",
)


def _tls(host: str, text: str) -> TlsError:
    if any(alert in text for alert in _CERTIFICATE_ALERTS):
        return TlsError(
            f"{host} requires a trusted client certificate",
            hint="send one with --client-cert FILE and --client-key FILE",
        )
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
        reason = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        why = f": {reason.strip()}" if reason else ""
        return TlsError(
            f"the certificate of {host} is not trusted{why}",
            hint="trust its CA with --ca-file FILE, or skip the check with --insecure",
        )
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER" in text or "HTTP_REQUEST" in text:
        return TlsError(
            f"{host} does not speak TLS", hint="allow plain HTTP for this registry: --insecure"
        )
    return TlsError(f"TLS handshake with {host} failed", retryable="EOF" in text)


def _not_connected(host: str, text: str) -> ConnectionFailedError:
    refused = "refused" in text.lower()
    return ConnectionFailedError(
        f"{host} {'refused the connection' if refused else 'cannot be reached'}",
        hint="check the host name and port, and that the registry is running" if refused else None,
        retryable=True,
    )


def _proxy(host: str, text: str) -> NetworkError:
    if "Remote end closed" in text or "reset by peer" in text:
        # The library also blames the proxy if the host behind it hangs up.
        return ConnectionLostError(
            f"the connection to {host} or its proxy was lost", retryable=True
        )
    return ConnectionFailedError(
        f"cannot connect to {host} through its proxy",
        hint="check HTTPS_PROXY and HTTP_PROXY; bypass the proxy for a host with NO_PROXY",
        retryable=True,
    )


_CONNECT_SECONDS = re.compile(r"connect timeout=([0-9.]+)")
_STALL_SECONDS = re.compile(r"read timeout=([0-9.]+)")


def _connect_timed_out(host: str, text: str) -> TimedOutError:
    return TimedOutError(
        f"{host} timed out: no connection{_after(_CONNECT_SECONDS, text)}",
        hint="wait longer: --connect-timeout SECONDS",
        retryable=True,
    )


def _stalled(host: str, text: str) -> TimedOutError:
    return TimedOutError(
        f"{host} timed out: no data{_after(_STALL_SECONDS, text)}",
        hint="run the command again; to wait longer: --stall-timeout SECONDS",
        retryable=True,
    )


def _after(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return f" after {float(match[1]):g} s" if match else ""


def _no_name(host: str, _: str) -> ConnectionFailedError:
    return ConnectionFailedError(
        f"cannot resolve the host name {host}",
        hint="check the registry's spelling and your network connection",
        retryable=True,
    )


def _no_address(host: str, _: str) -> InvalidResponseError:
    return InvalidResponseError(f"invalid URL with the host {host}")


# The library nests its errors; the first type found anywhere in the chain is the most specific.
_BUILDERS: tuple[
    tuple[tuple[type[BaseException], ...], Callable[[str, str], GhcrctlError]], ...
] = (
    ((requests.exceptions.ProxyError, urllib3.exceptions.ProxyError), _proxy),
    ((requests.exceptions.SSLError, urllib3.exceptions.SSLError), _tls),
    ((urllib3.exceptions.NameResolutionError,), _no_name),
    ((urllib3.exceptions.NewConnectionError,), _not_connected),
    (
        (requests.exceptions.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError),
        _connect_timed_out,
    ),
    ((requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), _stalled),
    ((requests.exceptions.InvalidURL, urllib3.exceptions.LocationParseError), _no_address),
)
