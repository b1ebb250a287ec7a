"""The HTTP library's errors in our words.

What belongs here: the one translation, for requests and for bodies. No error of `requests` or
`urllib3` passes it.
"""

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
def in_words(url: str, *, moving: bool = False, proxy: Proxy | None = None) -> Iterator[None]:
    """Translate the library's errors during communication with a host.

    Args:
        url: the request's address; only its host is shown.
        moving: whether bytes had begun to move.
        proxy: the proxy in between.
    """
    try:
        yield
    except GhcrctlError:
        raise
    except _HTTP_ERRORS as error:
        raise translate(error, host_shown(url), moving=moving, proxy=proxy) from error
    except (ValueError, HTTPException) as error:
        # The library reads some things, as the length of a chunk, without looking at them first.
        raise InvalidResponseError(
            f"{host_shown(url)} sent an answer that breaks the rules of HTTP"
        ) from error


def translate(
    error: BaseException, host: str, *, moving: bool, proxy: Proxy | None = None
) -> GhcrctlError:
    """Translate one error.

    Args:
        error: what the library raised.
        host: who was talked to.
        moving: whether bytes had begun to move.
        proxy: the proxy in between.
    """
    if scarce := exhausted(error):
        return scarce
    chain = list(_chain(error))
    text = " ".join(str(e) for e in chain)
    found = proxy_error(chain, text, host, proxy) if proxy else None
    if found:
        return found
    for kinds, word in _WORDS:
        if _any(chain, *kinds):
            return word(host, text)
    if moving or _any(chain, urllib3.exceptions.ProtocolError):
        return ConnectionLostError(f"the connection to {host} was lost", retryable=True)
    return _not_connected(host, text)


def never_connected(error: NetworkError) -> bool:
    """Check whether an error of `in_words` means that no connection was established."""
    cause = error.__cause__
    return isinstance(error, ConnectionFailedError) or isinstance(
        cause, requests.exceptions.ConnectTimeout
    )


def may_have_arrived(error: GhcrctlError) -> bool:
    """Check whether a request may have reached its host, although no response came back."""
    if isinstance(error, (TlsError, RedirectError)) or not isinstance(error, NetworkError):
        return False
    return not never_connected(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and everything that it was made of."""
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


# What a server says over TLS to a client whose certificate is missing or is not trusted.
_WANTS_CERTIFICATE = (
    "ALERT_BAD_CERTIFICATE",
    "ALERT_CERTIFICATE_",
    "ALERT_UNKNOWN_CA",
    "ALERT_UNSUPPORTED_CERTIFICATE",
)


def _tls(host: str, text: str) -> TlsError:
    if any(alert in text for alert in _WANTS_CERTIFICATE):
        return TlsError(
            f"{host} wants a client certificate that it trusts",
            hint="--client-cert FILE and --client-key FILE show one",
        )
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
        reason = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        why = f": {reason.strip()}" if reason else ""
        return TlsError(
            f"the certificate of {host} is not trusted{why}",
            hint="--ca-file FILE names the authority to trust; --insecure trusts anybody",
        )
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER" in text or "HTTP_REQUEST" in text:
        return TlsError(
            f"{host} does not speak TLS", hint="--insecure allows plain HTTP with this registry"
        )
    return TlsError(f"no TLS connection to {host} came about", retryable="EOF" in text)


def _not_connected(host: str, text: str) -> ConnectionFailedError:
    refused = "refused" in text.lower()
    return ConnectionFailedError(
        f"{host} {'refused the connection' if refused else 'cannot be reached'}",
        hint="check the registry's name and port, and whether it runs" if refused else None,
        retryable=True,
    )


def _proxy(host: str, text: str) -> NetworkError:
    if "Remote end closed" in text or "reset by peer" in text:
        # The library blames the proxy for what the host behind it does, too.
        return ConnectionLostError(
            f"the connection to {host}, or to the proxy before it, was lost", retryable=True
        )
    return ConnectionFailedError(
        f"the proxy for {host} cannot be used",
        hint="check HTTPS_PROXY and HTTP_PROXY; NO_PROXY names hosts to reach without it",
        retryable=True,
    )


_CONNECT_SECONDS = re.compile(r"connect timeout=([0-9.]+)")
_STALL_SECONDS = re.compile(r"read timeout=([0-9.]+)")


def _connect_timed_out(host: str, text: str) -> TimedOutError:
    return TimedOutError(
        f"{host} did not answer in time: no connection{_after(_CONNECT_SECONDS, text)}",
        hint="--connect-timeout SECONDS waits longer",
        retryable=True,
    )


def _stalled(host: str, text: str) -> TimedOutError:
    return TimedOutError(
        f"{host} did not answer in time: no data{_after(_STALL_SECONDS, text)}",
        hint="run it again; --stall-timeout SECONDS waits longer",
        retryable=True,
    )


def _after(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return f" after {float(match[1]):g} s" if match else ""


def _no_name(host: str, _: str) -> ConnectionFailedError:
    return ConnectionFailedError(
        f"the host {host} has no address: its name does not resolve",
        hint="check the spelling of the registry, and the network",
        retryable=True,
    )


def _no_address(host: str, _: str) -> InvalidResponseError:
    return InvalidResponseError(f"invalid address: {host}")


# The library nests its errors; the first kind that is found anywhere in them says most.
_WORDS: tuple[tuple[tuple[type[BaseException], ...], Callable[[str, str], GhcrctlError]], ...] = (
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
