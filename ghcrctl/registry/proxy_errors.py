"""Translates proxy failures into errors that name the proxy and its setting."""

from __future__ import annotations

import re
from http.client import HTTPException
from typing import TYPE_CHECKING

import urllib3

from ghcrctl.errors import ConnectionLostError, GhcrctlError, ProxyError
from ghcrctl.registry.endpoint import host_shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests

    from ghcrctl.registry.proxies import Proxy

_TUNNEL = re.compile(r"Tunnel connection failed: ([0-9]{3})")
_SOCKS_REPLIES = {
    "0x01": "the proxy failed",
    "0x02": "the proxy does not allow this host",
    "0x03": "the proxy cannot reach the network",
    "0x04": "the proxy cannot reach the host",
    "0x05": "the host refused the proxy's connection",
    "0x06": "the proxy's connection to the host timed out",
    "0x07": "the proxy does not support this command",
    "0x08": "the proxy does not support this type of address",
}
# These replies are permanent (RFC 1928, section 6).
_SOCKS_FINAL = frozenset({"0x02", "0x07", "0x08"})
_UNRESOLVED = "the name of the proxy does not resolve"
_DROPPED = ("Remote end closed", "reset by peer", "Connection aborted", "closed unexpectedly")


def proxy_error(
    chain: Sequence[BaseException], text: str, host: str, proxy: Proxy
) -> GhcrctlError | None:
    """Return the error for a proxy failure; ``None`` if the host behind the proxy failed.

    Args:
        chain: the exception from the HTTP library, with all causes.
        text: the messages of the exceptions.
        host: the target host of the request.
        proxy: the proxy in use.
    """
    match = _TUNNEL.search(text)
    if match:
        return status_error(int(match[1]), host, proxy)
    kinds = urllib3.exceptions
    if "Missing dependencies for SOCKS" in text:
        reason = "the package PySocks is missing"
        return _error(host, proxy, reason, hint="install PySocks: pip install PySocks")
    if proxy.is_socks:
        return _socks_error(chain, text, host, proxy)
    if _any(chain, kinds.ProxyError):
        return _connect_error(chain, text, host, proxy)
    if _timed_out(chain):
        return _timeout_error(host, proxy)
    return _lost(host, proxy) if any(words in text for words in _DROPPED) else None


def status_error(status: int, host: str, proxy: Proxy) -> ProxyError:
    """Return the error for a status that the proxy itself returned."""
    if status == 407:
        return _login_error(host, proxy, " (status 407)")
    if status < 500:
        return _error(
            host,
            proxy,
            f"the proxy does not allow this host (status {status})",
            hint=f"allow the host in the proxy's settings, or bypass it: NO_PROXY={_bare(host)}",
        )
    reason = f"the proxy cannot connect to the host (status {status})"
    return _error(host, proxy, reason, retryable=True)


def check_proxy_response(response: requests.Response, proxy: Proxy) -> None:
    """Raise an error if a response was sent by the proxy, not by the host behind it.

    With plain HTTP a proxy can respond instead of the host. Registries respond with JSON or name
    their API in a header; a proxy's own errors are HTML or empty.

    Raises:
        ProxyError: the proxy refused the request, or could not forward it.
    """
    is_plain = response.url.startswith("http://") and not proxy.is_socks
    if is_plain and _is_from_proxy(response.status_code, response.headers):
        response.close()
        raise status_error(response.status_code, host_shown(response.url), proxy)


def _is_from_proxy(status: int, headers: Mapping[str, str]) -> bool:
    if status == 407:
        return True
    kind = headers.get("Content-Type", "").lower()
    is_registry = "json" in kind or "Docker-Distribution-Api-Version" in headers
    return status in {403, 502, 503, 504} and not is_registry


def _connect_error(
    chain: Sequence[BaseException], text: str, host: str, proxy: Proxy
) -> GhcrctlError:
    kinds = urllib3.exceptions
    if _any(chain, kinds.NameResolutionError):
        return _error(host, proxy, _UNRESOLVED, retryable=True)
    if _any(chain, kinds.SSLError):
        return _tls_error(text, host, proxy)
    if _timed_out(chain):
        return _timeout_error(host, proxy)
    if any(words in text for words in _DROPPED):
        return _lost(host, proxy)
    if _any(chain, HTTPException):
        return _error(host, proxy, "the proxy sent an invalid response")
    return _down(text, host, proxy)


def _timed_out(chain: Sequence[BaseException]) -> bool:
    """Check for a connect timeout; urllib3 derives its other connect errors from that class."""
    kinds = urllib3.exceptions
    return any(
        isinstance(error, kinds.ConnectTimeoutError)
        and not isinstance(error, kinds.NewConnectionError)
        for error in chain
    )


def _lost(host: str, proxy: Proxy) -> ConnectionLostError:
    # urllib3 also blames the proxy if the target host hangs up.
    return ConnectionLostError(
        f"the connection to {host} through the proxy {proxy.label} was lost", retryable=True
    )


def _timeout_error(host: str, proxy: Proxy) -> ProxyError:
    return _error(
        host,
        proxy,
        "connecting timed out",
        hint="wait longer: --connect-timeout SECONDS",
        retryable=True,
    )


def _down(text: str, host: str, proxy: Proxy) -> ProxyError:
    refused = "refused" in text.lower()
    reason = "the proxy refused the connection" if refused else "the proxy cannot be reached"
    return _error(host, proxy, reason, retryable=True)


def _tls_error(text: str, host: str, proxy: Proxy) -> ProxyError:
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER" in text or "HTTP_REQUEST" in text:
        return _error(
            host,
            proxy,
            "the proxy does not speak TLS",
            hint=f"for plain HTTP: {proxy.setting}=http://{proxy.host}:{proxy.port}",
        )
    reason = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0].strip()
    if reason or "certificate verify failed" in text:
        return _error(
            host,
            proxy,
            f"the certificate of the proxy is not trusted{f': {reason}' if reason else ''}",
            hint="trust its certificate authority: --ca-file FILE",
        )
    return _error(host, proxy, "the TLS handshake with the proxy failed")


def _socks_error(
    chain: Sequence[BaseException], text: str, host: str, proxy: Proxy
) -> GhcrctlError | None:
    """Translate PySocks errors, matched by class name so that PySocks need not be loaded."""
    names = {type(error).__name__ for error in chain}
    if "SOCKS5AuthError" in names:
        return _login_error(host, proxy)
    reply = next((code for code in _SOCKS_REPLIES if f"{code}: " in text), "")
    if reply and "SOCKS5Error" in names:
        retryable = reply not in _SOCKS_FINAL
        return _error(host, proxy, _SOCKS_REPLIES[reply], retryable=retryable)
    if "gaierror" in names:
        return _error(host, proxy, _UNRESOLVED, retryable=True)
    if names & {"ProxyConnectionError", "GeneralProxyError", "NewConnectionError"}:
        dropped = "GeneralProxyError" in names and any(words in text for words in _DROPPED)
        return _lost(host, proxy) if dropped else _down(text, host, proxy)
    return _timeout_error(host, proxy) if "ConnectTimeoutError" in names else None


def _login_error(host: str, proxy: Proxy, status: str = "") -> ProxyError:
    rejected = "the proxy rejects the user name and password"
    reason = rejected if proxy.user else "the proxy requires a login"
    return _error(
        host,
        proxy,
        f"{reason}{status}",
        hint=f"set {proxy.setting}={proxy.scheme}://USER:PASSWORD@{proxy.host}:{proxy.port}",
    )


def _any(chain: Sequence[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(error, kinds) for error in chain)


def _bare(host: str) -> str:
    return host.removesuffix(":443").removesuffix(":80")


def _error(
    host: str, proxy: Proxy, reason: str, *, hint: str = "", retryable: bool = False
) -> ProxyError:
    usual = f"check {proxy.setting}, or bypass the proxy: NO_PROXY={_bare(host)}"
    return ProxyError(
        f"cannot connect to {host} through the proxy {proxy.label}: {reason}",
        hint=hint or usual,
        retryable=retryable,
    )
