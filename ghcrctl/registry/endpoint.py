"""Where a registry is on the network, and how it is trusted.

What belongs here: host names, schemes, TLS.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import ssl
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ghcrctl.errors import InvalidSettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_HUB_HOST = "registry-1.docker.io"
DEFAULT_PORTS = {"https": ":443", "http": ":80"}


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """Whom to trust.

    Args:
        ca_file: PEM certificates to trust besides the system's.
        client_cert: PEM certificate to show.
        client_key: its key, where that is in a file of its own.
        insecure: accept any certificate, and plain HTTP.
        cert_dirs: folders that have a folder ``HOST[:PORT]`` of ``*.crt``, ``*.cert`` and ``*.key``
            for a registry, as docker's and podman's ``certs.d``.
        registry: whose folder's authorities vouch for other hosts too: its token endpoint, its
            storage. So docker has it.
    """

    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    insecure: bool = False
    cert_dirs: tuple[Path, ...] = ()
    registry: str = ""


def host_of(registry: str) -> str:
    """Return the host, and port, that serves a registry."""
    return _HUB_HOST if registry == "docker.io" else registry


def bare_host(host: str, *ports: str) -> str:
    """Return a host in lower case, without its port where that is one of those given."""
    host = host.lower()
    for port in (*ports, ":"):
        host = host.removesuffix(port) if port else host
    return host


def spellings(registry: str) -> tuple[str, ...]:
    """Return the names of one registry, as it is written first: with and without a default port."""
    bare = bare_host(registry, *DEFAULT_PORTS.values())
    if bare != registry.lower():
        return (registry, bare)
    has_port = registry.rpartition(":")[2].isdigit() and not registry.endswith("]")
    return (registry,) if has_port else (registry, f"{registry}{DEFAULT_PORTS['https']}")


def certificate_names(registry: str, *, on_windows: bool = os.name == "nt") -> tuple[str, ...]:
    """Return the names that a registry's folder of certificates may have.

    A Windows file name has no colon: after one comes the name of a stream. Docker leaves the colon
    out there, and containerd puts the port between underscores.

    Source: moby, ``registry/config_windows.go``; containerd, ``remotes/docker/config/hosts.go``.
    """
    names = spellings(registry)
    if not on_windows:
        return names
    of_containerd = [re.sub(r":([0-9]+)\Z", r"_\1_", name) for name in names]
    return tuple(dict.fromkeys(name.replace(":", "") for name in (*names, *of_containerd)))


def host_shown(url: str) -> str:
    """Return the host and port of an address for people; what stands before it may be a secret.

    Any text will do: what is wrong with an address must be told too.
    """
    return re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]


def is_loopback(host: str) -> bool:
    """Tell whether a host, maybe with a port, is this machine."""
    name, address = _address(host)
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return address is not None and address.is_loopback


def host_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a host, maybe with a port, is written as; ``None`` for a name."""
    return _address(host)[1]


def _address(host: str) -> tuple[str, ipaddress.IPv4Address | ipaddress.IPv6Address | None]:
    """Return a host's name without its port, and the address that it is, if it is one."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return "", None
    with suppress(ValueError):
        address = ipaddress.ip_address(name)
        # An IPv4 address in IPv6's clothes is where its inner address is.
        return name, getattr(address, "ipv4_mapped", None) or address
    with suppress(OSError, UnicodeError, ValueError):
        # What resolvers read too: 127.1, 0x7f000001, 2130706433.
        return name, ipaddress.ip_address(socket.inet_aton(name))
    return name, None


def ssl_context(policy: TlsPolicy, host: str) -> ssl.SSLContext:
    """Make the TLS context for a host: the system's trust, and what the policy adds.

    Raises:
        InvalidSettingError: a certificate or key cannot be read.
    """
    return _context(
        policy.insecure, tuple(_authorities(policy, host)), tuple(_client_pairs(policy, host))
    )


@cache
def _context(
    insecure: bool,  # noqa: FBT001 a key of the cache
    authorities: tuple[Path, ...],
    pairs: tuple[tuple[Path, Path | None], ...],
) -> ssl.SSLContext:
    """Make a context; hosts that are trusted alike share one, since it takes its time."""
    context = _untrusting() if insecure else _trusting()
    for path in authorities:
        _load(path, lambda p: context.load_verify_locations(cafile=str(p)))
    for certificate, key in pairs:
        _load(certificate, _chain_loader(context, key))
    return context


def _untrusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _trusting() -> ssl.SSLContext:
    """Trust whom the system trusts.

    Where that is a file, it is read once here; truststore would read it for each connection.
    """
    if sys.platform == "linux" and ssl.get_default_verify_paths().cafile:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_default_verify_paths()
        return context
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _chain_loader(context: ssl.SSLContext, key: Path | None) -> Callable[[Path], object]:
    return lambda path: context.load_cert_chain(str(path), str(key) if key else None)


def _authorities(policy: TlsPolicy, host: str) -> Iterator[Path]:
    if policy.ca_file:
        yield policy.ca_file
    given = filter(None, (host, policy.registry))
    names = dict.fromkeys(name for each in given for name in certificate_names(each))
    for folder in policy.cert_dirs:
        for name in names:
            yield from _files(folder / name, "*.crt")


def _client_pairs(policy: TlsPolicy, host: str) -> Iterator[tuple[Path, Path | None]]:
    if policy.client_cert:
        yield policy.client_cert, policy.client_key
    for folder in policy.cert_dirs:
        places = [folder / name for name in certificate_names(host)]
        for certificate in sorted(path for place in places for path in _files(place, "*.cert")):
            key = certificate.with_suffix(".key")
            _check_pair(certificate, key, missing=key)
            yield certificate, key
        for key in sorted(path for place in places for path in _files(place, "*.key")):
            certificate = key.with_suffix(".cert")
            _check_pair(certificate, key, missing=certificate)


def _files(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a directory; none of one that this person may not enter."""
    try:
        return sorted(folder.glob(pattern))
    except PermissionError:
        return []


def _check_pair(certificate: Path, key: Path, *, missing: Path) -> None:
    """Check that both files of a client certificate exist, as docker does.

    Raises:
        InvalidSettingError: one of them does not.
    """
    if missing.exists():
        return
    if missing == key:
        raise InvalidSettingError(
            f"the client certificate {certificate} has no key: {key} is missing",
            hint="an authority to trust is named *.crt; a client certificate is *.cert with *.key",
        )
    raise InvalidSettingError(
        f"the client key {key} has no certificate: {certificate} is missing",
        hint="a client certificate is *.cert with *.key",
    )


def _load(path: Path, load: Callable[[Path], object]) -> None:
    try:
        load(path)
    except (OSError, ssl.SSLError) as error:
        reason = (
            getattr(error, "strerror", None) or getattr(error, "reason", None) or "no valid PEM"
        )
        raise InvalidSettingError(f"{path} cannot be used as a certificate: {reason}") from None
