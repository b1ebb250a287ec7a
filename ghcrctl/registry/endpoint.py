"""Registry hosts and TLS trust."""

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
    """What to trust on TLS connections, and which client certificate to send.

    Args:
        ca_file: PEM certificates to trust in addition to the system's.
        client_cert: the PEM client certificate.
        client_key: the key of the client certificate, if it is in a separate file.
        insecure: accept any certificate, and plain HTTP.
        cert_dirs: folders with a ``HOST[:PORT]`` folder of ``*.crt``, ``*.cert`` and ``*.key``
            files per registry, like docker's and podman's ``certs.d``.
        registry: the registry whose CA certificates are also trusted for other hosts, such as its
            token endpoint and storage hosts, as in docker.
    """

    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    insecure: bool = False
    cert_dirs: tuple[Path, ...] = ()
    registry: str = ""


def host_of(registry: str) -> str:
    """Return the host and port that serve a registry."""
    return _HUB_HOST if registry == "docker.io" else registry


def bare_host(host: str, *ports: str) -> str:
    """Return a host in lower case, without its port if that is one of the given ports."""
    host = host.lower()
    for port in (*ports, ":"):
        host = host.removesuffix(port) if port else host
    return host


def spellings(registry: str) -> tuple[str, ...]:
    """Return the spellings of a registry's name, with and without the default port."""
    bare = bare_host(registry, *DEFAULT_PORTS.values())
    if bare != registry.lower():
        return (registry, bare)
    has_port = registry.rpartition(":")[2].isdigit() and not registry.endswith("]")
    return (registry,) if has_port else (registry, f"{registry}{DEFAULT_PORTS['https']}")


def certificate_names(registry: str, *, on_windows: bool = os.name == "nt") -> tuple[str, ...]:
    """Return the folder names under which a registry's certificates may be stored.

    A Windows file name cannot contain a colon. Docker drops the colon, and containerd writes the
    port between underscores.

    Source: moby, ``registry/config_windows.go``; containerd, ``remotes/docker/config/hosts.go``.
    """
    names = spellings(registry)
    if not on_windows:
        return names
    of_containerd = [re.sub(r":([0-9]+)\Z", r"_\1_", name) for name in names]
    return tuple(dict.fromkeys(name.replace(":", "") for name in (*names, *of_containerd)))


def host_shown(url: str) -> str:
    """Return the host and port of a URL for messages, without user information.

    Accepts any text, since malformed URLs appear in messages too.
    """
    return re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]


def is_loopback(host: str) -> bool:
    """Check whether a host, with or without a port, is this machine."""
    name, address = _address(host)
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return address is not None and address.is_loopback


def host_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address of a host written as an address; ``None`` for a name."""
    return _address(host)[1]


def _address(host: str) -> tuple[str, ipaddress.IPv4Address | ipaddress.IPv6Address | None]:
    """Return a host's name without its port, and its numeric address if it is one."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return "", None
    with suppress(ValueError):
        address = ipaddress.ip_address(name)
        # Unwrap IPv4-mapped IPv6 addresses.
        return name, getattr(address, "ipv4_mapped", None) or address
    with suppress(OSError, UnicodeError, ValueError):
        # Resolvers accept these forms too: 127.1, 0x7f000001, 2130706433.
        return name, ipaddress.ip_address(socket.inet_aton(name))
    return name, None


def ssl_context(policy: TlsPolicy, host: str) -> ssl.SSLContext:
    """Return the TLS context for a host: the system's trust plus the policy's additions.

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
    """Build a context; hosts with the same trust share one, since building it is slow."""
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
    """Build a context that trusts the system's certificates.

    If those are in a file, it is read once here, whereas truststore would read it for each
    connection.
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
    """Return the matching files of a directory; none if the user cannot read it."""
    try:
        return sorted(folder.glob(pattern))
    except PermissionError:
        return []


def _check_pair(certificate: Path, key: Path, *, missing: Path) -> None:
    """Check that both files of a client certificate exist, as docker does.

    Raises:
        InvalidSettingError: one of the files is missing.
    """
    if missing.exists():
        return
    if missing == key:
        raise InvalidSettingError(
            f"cannot use the client certificate {certificate}: its key {key} is missing",
            hint="name CA certificates *.crt, and client certificates *.cert with a *.key",
        )
    raise InvalidSettingError(
        f"cannot use the client key {key}: its certificate {certificate} is missing",
        hint="a client certificate consists of a *.cert and a *.key file",
    )


def _load(path: Path, load: Callable[[Path], object]) -> None:
    try:
        load(path)
    except (OSError, ssl.SSLError) as error:
        reason = (
            getattr(error, "strerror", None) or getattr(error, "reason", None) or "not valid PEM"
        )
        raise InvalidSettingError(f"cannot use {path} as a certificate: {reason}") from None
