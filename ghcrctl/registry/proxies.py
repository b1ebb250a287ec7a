"""Selects the proxy for a request by the rules of Go's ``net/http``, like docker.

Source: golang.org/x/net/http/httpproxy. In addition, ALL_PROXY applies if no other variable does,
as in curl, and an invalid setting is an error.
"""

from __future__ import annotations

import base64
import ipaddress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies_environment

from ghcrctl.errors import ProxyError
from ghcrctl.registry.endpoint import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address
    Exclusion = Callable[[str, int, Address | None], bool]

_TARGET_PORTS = {"http": 80, "https": 443}
_PROXY_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_FORM = "expected [http://|https://|socks5://][USER:PASSWORD@]HOST[:PORT]"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy.

    Args:
        scheme: http, https, socks5 or socks5h.
        host: the proxy's host name or address.
        port: the proxy's port.
        setting: the variable that names the proxy.
        user: URL-quoted user name and password; may be empty.
    """

    scheme: str
    host: str
    port: int
    setting: str
    user: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """The URL for the HTTP library, including the password."""
        user = f"{self.user}@" if self.user else ""
        # Go resolves names at the proxy for both SOCKS schemes; urllib3 only does for socks5h.
        scheme = "socks5h" if self.is_socks else self.scheme
        return f"{scheme}://{user}{self._place}"

    @property
    def is_socks(self) -> bool:
        """Whether the proxy forwards connections instead of requests."""
        return self.scheme.startswith("socks")

    @property
    def label(self) -> str:
        """The address without user name and password, and the setting, for messages."""
        return f"{self.scheme}://{self._place} ({self.setting})"

    @property
    def _place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True)
class ProxyRules:
    """The proxy settings of an environment.

    Args:
        values: the proxy addresses as given, by the request's scheme or ``all``.
        settings: the variables that they were read from, by the same keys.
        exclusions: the value of NO_PROXY.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)
    exclusions: str = ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> ProxyRules:
        """Read the settings from an environment; upper-case variable names take precedence.

        In a CGI program HTTP_PROXY is ignored, since a client sets it with the header ``Proxy``.
        """
        is_cgi = bool(environ.get("REQUEST_METHOD"))
        settings = {}
        for kind in ("http", "https", "all"):
            names = [f"{kind.upper()}_PROXY", f"{kind}_proxy"]
            given = [name for name in names if environ.get(name, "").strip()]
            if is_cgi and kind == "http":
                given = [name for name in given if name != "HTTP_PROXY"]
            if given:
                settings[kind] = given[0]
        values = {kind: environ[name].strip() for kind, name in settings.items()}
        return cls(values, settings, environ.get("NO_PROXY") or environ.get("no_proxy") or "")

    @classmethod
    def of_this_process(cls) -> ProxyRules:
        """Read the settings from the environment of this process."""
        found = getproxies_environment()
        values = {kind: found[kind] for kind in ("http", "https", "all") if found.get(kind)}
        return cls(values, {kind: f"{kind.upper()}_PROXY" for kind in values}, found.get("no", ""))

    def find(self, url: str) -> Proxy | None:
        """Return the proxy for a URL; ``None`` for URLs of this machine.

        Raises:
            ProxyError: the proxy setting is invalid.
        """
        parts = urlsplit(url)
        kind = parts.scheme if self.values.get(parts.scheme) else "all"
        if not self.values.get(kind) or self._is_excluded(url):
            return None
        return parse_proxy(self.values[kind], self.settings[kind])

    def _is_excluded(self, url: str) -> bool:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        address = _address(host)
        if is_loopback(f"[{host}]" if ":" in host else host) or (
            address is not None and address.is_unspecified
        ):
            return True
        port = parts.port or _TARGET_PORTS.get(parts.scheme, 0)
        return any(matches(_ascii(host), port, address) for matches in self._matchers)

    @cached_property
    def _matchers(self) -> list[Exclusion]:
        return list(_read_exclusions(self.exclusions))


def parse_proxy(text: str, setting: str) -> Proxy:
    """Parse the value of a proxy variable; the default scheme is ``http``.

    Raises:
        ProxyError: the value is invalid.
    """
    full = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(full)
        scheme, host = parts.scheme.lower(), parts.hostname or ""
        port = parts.port or _PROXY_PORTS.get(scheme, 0)
    except ValueError:
        scheme, host, port = full.partition("://")[0].lower(), "", 0
    if scheme not in _PROXY_PORTS:
        raise _invalid(full, setting, f"unsupported scheme `{scheme}`: {_FORM}")
    if not host or not all("!" < c <= "~" and c not in '"%<>\\^`{|}' for c in host):
        raise _invalid(full, setting, _FORM)
    return Proxy(scheme, host, port, setting, _quoted_user(parts.netloc))


def _quoted_user(netloc: str) -> str:
    user, separator, _ = netloc.rpartition("@")
    if not separator:
        return ""
    name, colon, password = user.partition(":")
    return f"{quote(unquote(name), safe='')}{colon}{quote(unquote(password), safe='')}"


def _invalid(full: str, setting: str, reason: str) -> ProxyError:
    # Any text before the last `@` may be a password.
    scheme, _, rest = full.partition("://")
    shown = f"{scheme}://{rest.rpartition('@')[2]}"
    return ProxyError(
        f"invalid proxy `{shown}` in {setting}: {reason}",
        hint=f"correct it, as in {setting}=http://proxy.example:3128",
    )


def proxy_headers(url: str) -> dict[str, str]:
    """Return the header to sign in to a proxy; empty if its URL has no user name."""
    parts = urlsplit(url)
    if not parts.username or parts.scheme.startswith("socks"):
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _read_exclusions(text: str) -> Iterator[Exclusion]:
    """Yield a matcher for each entry of NO_PROXY, skipping invalid entries."""
    for entry in text.replace(",", " ").lower().split():
        if entry == "*":
            yield lambda *_: True
        elif "/" in entry:
            yield from _network(entry)
        else:
            yield from _host(entry)


def _network(entry: str) -> Iterator[Exclusion]:
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return
    yield lambda _host, _port, address: address is not None and address in network


def _host(entry: str) -> Iterator[Exclusion]:
    name, wanted = _split_port(entry)
    address = _address(name)
    if address is not None:
        yield lambda _host, port, found: found == address and wanted in {None, port}
        return
    name = _ascii(name.removeprefix("*") if name.startswith("*.") else name)
    bare, suffix = name.lstrip("."), f".{name.lstrip('.')}"
    if not bare:
        return
    names_host = not name.startswith(".")
    yield (
        lambda host, port, _: (
            (host.endswith(suffix) or (names_host and host == bare)) and wanted in {None, port}
        )
    )


def _split_port(entry: str) -> tuple[str, int | None]:
    host, colon, port = entry.rpartition(":")
    if not colon or not port.isdecimal() or (":" in host and not host.endswith("]")):
        return entry.strip("[]"), None
    return host.strip("[]"), int(port)


def _address(host: str) -> Address | None:
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _ascii(name: str) -> str:
    """Return a host name in lower case, IDNA-encoded if necessary (RFC 5891)."""
    if name.isascii():
        return name.lower()
    try:
        return name.encode("idna").decode().lower()
    except UnicodeError:
        return name.lower()
