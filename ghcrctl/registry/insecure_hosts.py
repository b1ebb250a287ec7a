"""Registries whose certificates are not checked, as listed by users and ``daemon.json``.

Source: dockerd(8), ``--insecure-registry``: a host with its port, or a network in CIDR notation.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.registry.endpoint import DEFAULT_PORTS, bare_host

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class InsecureHosts:
    """Insecure hosts and networks of insecure hosts."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> InsecureHosts:
        """Parse entries of the form ``HOST[:PORT]`` or a network such as ``10.0.0.0/8``."""
        names: set[str] = set()
        networks: list[Network] = []
        for entry in entries:
            text = entry.removeprefix("http://").removeprefix("https://").rstrip("/")
            network = _network(text) if "/" in text else None
            if network:
                networks.append(network)
            else:
                names.add(_bare(text))
        return cls(frozenset(names), tuple(networks))

    def __contains__(self, host: str) -> bool:
        if _bare(host) in self.names:
            return True
        # Resolve names only if a network is listed.
        return bool(self.networks) and any(
            address in network for address in _addresses(host) for network in self.networks
        )


def _bare(host: str) -> str:
    """Return a host without its default port."""
    return bare_host(host, *DEFAULT_PORTS.values())


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def of_docker(files: Iterable[Mapping[str, object]]) -> list[str]:
    """Return the entries of ``insecure-registries`` in parsed ``daemon.json`` files."""
    lists = [data.get("insecure-registries") for data in files]
    return [e for found in lists if isinstance(found, list) for e in found if isinstance(e, str)]


def _addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        return [ipaddress.ip_address(name)]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(name, None, proto=socket.IPPROTO_TCP)
    except OSError:
        return []
    return [ipaddress.ip_address(str(address[4][0]).partition("%")[0]) for address in found]
