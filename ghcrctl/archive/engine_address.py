"""The address of a docker engine.

Source: Docker's documentation, "Use the Docker command line", ``--host``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidSettingError, UnsupportedError
from ghcrctl.oci.quotes import shortened

if TYPE_CHECKING:
    from pathlib import Path

_SOCKET = "/var/run/docker.sock"
DEFAULT_ADDRESS = "npipe:////./pipe/docker_engine" if os.name == "nt" else f"unix://{_SOCKET}"
EXAMPLES = "set DOCKER_HOST, for example to unix:///var/run/docker.sock or tcp://host:2376"
_PLAIN_PORT, _TLS_PORT = 2375, 2376
_TUNNEL = (
    "forward the socket: ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock {host}; "
    "then set DOCKER_HOST=unix:///tmp/docker.sock"
)


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """The address of a docker engine.

    Args:
        path: path of a Unix socket; empty for TCP.
        host: host name or IP address, without brackets.
        port: TCP port.
        prefix: prefix of all URL paths; mostly empty.
        tls: directory with ``ca.pem``, ``cert.pem`` and ``key.pem``, each of which is optional;
            ``None`` for an unencrypted connection.
    """

    path: str = ""
    host: str = ""
    port: int = 0
    prefix: str = ""
    tls: Path | None = None

    def __str__(self) -> str:
        if self.path:
            return f"unix://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"

    @classmethod
    def parse(cls, text: str, tls: Path | None = None) -> EngineAddress:
        """Parse an address in the format of DOCKER_HOST.

        Raises:
            InvalidSettingError: the address is invalid.
            UnsupportedError: only docker itself supports this kind of address.
        """
        scheme, found, rest = text.partition("://")
        if not found:
            scheme, rest = "tcp", text
        if scheme == "unix":
            return cls(path=rest or _SOCKET)
        if scheme == "tcp":
            return _over_tcp(rest, tls)
        if scheme == "ssh":
            host = rest.partition("/")[0].rpartition("@")[2]
            raise UnsupportedError(
                "cannot connect to a docker engine over ssh://",
                hint=_TUNNEL.format(host=shortened(host)),
            )
        if scheme == "npipe":
            raise UnsupportedError(
                "cannot connect to a docker engine over a Windows pipe",
                hint="make the engine listen on tcp://localhost:2375 and set DOCKER_HOST to that",
            )
        raise InvalidSettingError(
            f"invalid address of the docker engine: unknown scheme `{shortened(scheme)}://`",
            hint=EXAMPLES,
        )


def _over_tcp(rest: str, tls: Path | None) -> EngineAddress:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(f"//{rest}")
        port = parts.port
    except ValueError:
        raise InvalidSettingError(
            "invalid address of the docker engine: invalid port", hint=EXAMPLES
        ) from None
    if parts.username is not None or parts.query or parts.fragment:
        # Do not show the address, since it may contain a password. Docker does not support
        # passwords.
        raise InvalidSettingError(
            "invalid address of the docker engine: expected only host, port and path",
            hint=EXAMPLES,
        )
    usual = _TLS_PORT if tls else _PLAIN_PORT
    prefix = parts.path.rstrip("/")
    return EngineAddress("", parts.hostname or "localhost", port or usual, prefix, tls)
