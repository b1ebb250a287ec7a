"""Where a docker engine listens.

What belongs here: addresses. What does not: connecting (`engine_connection`), and where an address
is written down (``settings``).

Source: Docker's documentation, "Use the Docker command line", ``--host``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidSettingError, UnsupportedError
from ghcrctl.oci.quoting import shortened

if TYPE_CHECKING:
    from pathlib import Path

_SOCKET = "/var/run/docker.sock"
DEFAULT_ADDRESS = "npipe:////./pipe/docker_engine" if os.name == "nt" else f"unix://{_SOCKET}"
EXAMPLES = "DOCKER_HOST is such as unix:///var/run/docker.sock or tcp://host:2376"
_PLAIN_PORT, _TLS_PORT = 2375, 2376
_TUNNEL = (
    "forward its socket: ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock {host}; "
    "then DOCKER_HOST=unix:///tmp/docker.sock"
)


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """Where an engine listens.

    Args:
        path: a socket of this machine; empty where it is reached over TCP.
        host: name or address, without brackets.
        port: of the host.
        prefix: what its paths begin with; mostly empty.
        tls: the directory of ``ca.pem``, ``cert.pem`` and ``key.pem``, each of which may be
            missing; ``None`` for a connection in the clear.
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
        """Read an address as DOCKER_HOST has it.

        Raises:
            InvalidSettingError: it is none.
            UnsupportedError: it is one that only docker itself can use.
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
                "a docker engine behind ssh:// cannot be talked to directly",
                hint=_TUNNEL.format(host=shortened(host)),
            )
        if scheme == "npipe":
            raise UnsupportedError(
                "a docker engine behind a Windows pipe cannot be talked to",
                hint="let it listen on tcp://localhost:2375 too, and set DOCKER_HOST to that",
            )
        raise InvalidSettingError(
            f"`{shortened(scheme)}://` is no way to a docker engine", hint=EXAMPLES
        )


def _over_tcp(rest: str, tls: Path | None) -> EngineAddress:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(f"//{rest}")
        port = parts.port
    except ValueError:
        raise InvalidSettingError("the docker engine's port is none", hint=EXAMPLES) from None
    if parts.username is not None or parts.query or parts.fragment:
        # A password in it must not be shown, and docker has no use for one.
        raise InvalidSettingError(
            "the docker engine's address has more than a host, a port and a path", hint=EXAMPLES
        )
    usual = _TLS_PORT if tls else _PLAIN_PORT
    prefix = parts.path.rstrip("/")
    return EngineAddress("", parts.hostname or "localhost", port or usual, prefix, tls)
