"""Which network addresses a host may have that was named by a registry and not by the user.

A registry names further hosts: its token endpoint, where uploads go, where redirects lead, where
foreign layers are. A registry elsewhere must not make this machine send requests to its own
services, or to those of its link, such as a cloud's metadata service. So the addresses of such
hosts are checked after their names are resolved, and the connection goes to the address that was
checked: a name that resolves differently a moment later changes nothing. The exception: a registry
that is itself on this machine, or on its link, may name others there.
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
# RFC 6052, section 2.1: IPv4 addresses behind a translator.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Zone(Enum):
    """Where an address is."""

    MACHINE = "an address of this machine"
    LINK = "an address of this machine's link"
    ELSEWHERE = "an address elsewhere"


def zone_of(address: str) -> Zone:
    """Return where a numeric address is, as far as it says itself.

    Source: RFC 3927 and RFC 4291, section 2.5.6: link-local addresses.
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
    """The check of one transport; threads may share it.

    Args:
        check_host: raises an error for a host that must not be contacted, wherever it is.
    """

    def __init__(self, check_host: Callable[[str], None] = lambda _: None) -> None:
        self._check_host = check_host
        self._trusted: dict[str, str] = {}
        self._reached: set[Zone] = {Zone.ELSEWHERE}

    def trust(self, url: str) -> None:
        """Allow an address that the user named, wherever it is, and other hosts in its zone."""
        self._trusted[origin(url)] = host_shown(url)
        zone = _named_zone(url)
        if zone:
            self._reached.add(zone)

    def check(self, url: str) -> None:
        """Check a host as written, before its name is resolved.

        Raises:
            RedirectError: it is on this machine or its link, and may not be.
            RefusedError: it is blocked.
        """
        if origin(url) in self._trusted:
            return
        self._check_host(host_shown(url).lower())
        zone = _named_zone(url)
        if zone:
            self._refuse_unreached(url, zone, "")

    def admit(self, url: str, address: str, *, is_own: bool = False) -> None:
        """Check an address that a host has.

        Args:
            url: of the host.
            address: numeric.
            is_own: whether it belongs to an interface of this machine.

        Raises:
            RedirectError: it is on this machine or its link, and may not be.
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
            f"cannot connect to {host_shown(url)}: {who} this host, and it is {what}",
            hint="a registry elsewhere must not reach local services through ghcrctl",
        )


def _named_zone(url: str) -> Zone | None:
    """Return the zone of a host that is written as an address or as this machine's name."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    if is_loopback(host):
        return Zone.MACHINE
    address = host_address(host)
    return zone_of(str(address)) if address else None
