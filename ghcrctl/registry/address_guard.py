"""Guards the network addresses of hosts that a registry names.

A registry names other hosts: its token endpoint, upload locations, redirect targets and the URLs of
foreign layers. A remote registry could use these to make this machine send requests to its own
services, or to a cloud's metadata service on its link. Addresses of such hosts are therefore
checked after name resolution, and the connection uses the checked address, so a name that resolves
differently later (DNS rebinding) has no effect. Exception: a registry on this machine, or on its
link, may name other hosts in the same zone.
"""

from __future__ import annotations

import ipaddress
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ghcrctl.errors import RedirectError
from ghcrctl.registry.endpoint import host_address, host_shown, is_loopback
from ghcrctl.registry.urls import origin

if TYPE_CHECKING:
    from collections.abc import Callable

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# RFC 6052, section 2.1: IPv4 addresses behind a NAT64 gateway.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Zone(Enum):
    """The network zone of an address."""

    MACHINE = "an address of this machine"
    LINK = "an address of this machine's link-local network"
    ELSEWHERE = "an address elsewhere"


def zone_of(address: str) -> Zone:
    """Return the zone of a numeric address, judged by the address alone.

    Spec: RFC 3927 and RFC 4291, section 2.5.6 (link-local addresses).
    """
    found = _inner(ipaddress.ip_address(address.partition("%")[0]))
    if found.is_loopback or found.is_unspecified:
        return Zone.MACHINE
    return Zone.LINK if found.is_link_local else Zone.ELSEWHERE


def _inner(address: _Address) -> _Address:
    """Unwrap an IPv4 address that is written as an IPv6 address."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address in _NAT64 or 1 < int(address) < 1 << 32:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


class AddressGuard:
    """Checks the hosts that one transport connects to; safe to share between threads.

    Args:
        check_host: raises an error for a host that must never be contacted.
    """

    def __init__(self, check_host: Callable[[str], None] = lambda _: None) -> None:
        self._check_host = check_host
        self._trusted: dict[str, str] = {}
        self._reached: set[Zone] = {Zone.ELSEWHERE}

    def trust(self, url: str) -> None:
        """Trust the host of a URL that the user named, and allow other hosts in its zone."""
        self._trusted[origin(url)] = host_shown(url)
        zone = _named_zone(url)
        if zone:
            self._reached.add(zone)

    def check(self, url: str) -> None:
        """Check a host by name, before the name is resolved.

        Raises:
            RedirectError: the host is local, and local hosts are not allowed.
            RefusedError: the host is blocked.
        """
        if origin(url) in self._trusted:
            return
        self._check_host(host_shown(url).lower())
        zone = _named_zone(url)
        if zone:
            self._refuse_unreached(url, zone, "")

    def admit(self, url: str, address: str, *, is_own: bool = False) -> None:
        """Check a resolved address of a host.

        Args:
            url: a URL of the host.
            address: the numeric address.
            is_own: whether the address belongs to an interface of this machine.

        Raises:
            RedirectError: the address is local, and local addresses are not allowed.
        """
        zone = Zone.MACHINE if is_own else zone_of(address)
        if origin(url) in self._trusted:
            self._reached.add(zone)
        else:
            self._refuse_unreached(url, zone, address)

    def _refuse_unreached(self, url: str, zone: Zone, address: str) -> None:
        if zone in self._reached:
            return
        registry = next(iter(self._trusted.values()), "")
        who = f"{registry} named" if registry else "the source named"
        what = f"{address}, {zone.value}" if address and address not in url else zone.value
        raise RedirectError(
            f"cannot connect to {host_shown(url)}: {who} this host, which is {what}",
            hint="a remote registry must not reach local services through ghcrctl",
        )


def _named_zone(url: str) -> Zone | None:
    """Return the zone of a host given as a numeric address or as localhost."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    if is_loopback(host):
        return Zone.MACHINE
    address = host_address(host)
    return zone_of(str(address)) if address else None
