"""Failures of proxies: what went wrong, at which proxy, and which setting named it."""

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
    "0x01": "it failed",
    "0x02": "it does not allow this host",
    "0x03": "it cannot reach the network",
    "0x04": "it cannot reach the host",
    "0x05": "the host refused its connection",
    "0x06": "its connection to the host timed out",
    "0x07": "it does not support this command",
    "0x08": "it does not support this kind of address",
}
# RFC 1928, section 6: what a rule of the proxy decides is decided the same way again.
_SOCKS_FINAL = frozenset({"0x02", "0x07", "0x08"})
_UNRESOLVED = "the name of the proxy does not resolve"
_DROPPED = ("Remote end closed", "reset by peer", "Connection aborted", "closed unexpectedly")


def proxy_error(
    chain: Sequence[BaseException], text: str, host: str, proxy: Proxy
) -> GhcrctlError | None:
    """Return the error for a failure of a proxy; ``None`` where the host behind it failed.

    Args:
        chain: what the HTTP library raised, with all causes.
        text: their messages.
        host: the host that the request was for.
        proxy: the proxy in between.
    """
    match = _TUNNEL.search(text)
    if match:
        return status_error(int(match[1]), host, proxy)
    kinds = urllib3.exceptions
    if "Missing dependencies for SOCKS" in text:
        reason = "the package PySocks is missing"
        return _error(host, proxy, reason, hint="install it: pip install PySocks")
    if proxy.is_socks:
        return _socks_error(chain, text, host, proxy)
    if _any(chain, kinds.ProxyError):
        return _connect_error(chain, text, host, proxy)
    if _timed_out(chain):
        return _timeout_error(host, proxy)
    return _lost(host, proxy) if any(words in text for words in _DROPPED) else None


def status_error(status: int, host: str, proxy: Proxy) -> ProxyError:
    """Return the error for a status that a proxy itself responded with."""
    if status == 407:
        return _login_error(host, proxy, " (status 407)")
    if status < 500:
        return _error(
            host,
            proxy,
            f"it does not allow this host (status {status})",
            hint=f"allow the host at the proxy, or connect without it: NO_PROXY={_bare(host)}",
        )
    return _error(host, proxy, f"it cannot connect to the host (status {status})", retryable=True)


def check_proxy_response(response: requests.Response, proxy: Proxy) -> None:
    """Raise what a response means that comes from the proxy, not from the host behind it.

    Only plain HTTP lets a proxy respond in the host's place. Registries respond in JSON, or name
    their API; a proxy's own refusals are pages or empty.

    Raises:
        ProxyError: the proxy refused the request, or could not pass it on.
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
    """Check whether connecting took too long; the library derives other failures from that one."""
    kinds = urllib3.exceptions
    return any(
        isinstance(error, kinds.ConnectTimeoutError)
        and not isinstance(error, kinds.NewConnectionError)
        for error in chain
    )


def _lost(host: str, proxy: Proxy) -> ConnectionLostError:
    # The library blames the proxy for a host that hangs up, too.
    return ConnectionLostError(
        f"the connection to {host} through the proxy {proxy.label} was lost", retryable=True
    )


def _timeout_error(host: str, proxy: Proxy) -> ProxyError:
    return _error(
        host,
        proxy,
        "no connection in time",
        hint="--connect-timeout SECONDS waits longer",
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
            hint=f"if it speaks plain HTTP: {proxy.setting}=http://{proxy.host}:{proxy.port}",
        )
    reason = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0].strip()
    if reason or "certificate verify failed" in text:
        return _error(
            host,
            proxy,
            f"the certificate of the proxy is not trusted{f': {reason}' if reason else ''}",
            hint="--ca-file FILE names the authority to trust",
        )
    return _error(host, proxy, "the TLS handshake with the proxy failed")


def _socks_error(
    chain: Sequence[BaseException], text: str, host: str, proxy: Proxy
) -> GhcrctlError | None:
    """Translate what PySocks raises; its classes are matched by name, so it need not be loaded."""
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
    reason = "it rejects the user name and password" if proxy.user else "it requires a login"
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
    usual = f"check {proxy.setting}; to connect without the proxy: NO_PROXY={_bare(host)}"
    return ProxyError(
        f"cannot use the proxy for {host}, {proxy.label}: {reason}",
        hint=hint or usual,
        retryable=retryable,
    )
