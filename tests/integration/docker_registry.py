"""Debian's docker-registry as fixtures: plain, htpasswd over TLS, tokens over TLS.

What belongs here: starting and stopping it on a free loopback port. What does not: finding the
program (``peers``).
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tests.integration.peers import require_peer
from tests.integration.token_server import ISSUER, SERVICE, TokenServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER = "octo"
PASSWORD = "correct horse"
# Of PASSWORD, by bcrypt: the only form that docker-registry reads.
_HTPASSWD_HASH = "$2y$05$Qdz5tjr5PKnVFi3R4knF/.N6N.OoqkJ6eWboQz.J/wK8f2uu3FJMW"
_START_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class DockerRegistry:
    """A running registry.

    Args:
        host: host and port, as they stand in a reference.
        ca: the certificate of the private authority; ``None`` where the registry has no TLS.
        accounts: passwords by user; empty where nobody is asked.
        public: repositories that need no account, where tokens are used.
        tokens: the server of tokens, where there is one.
    """

    host: str
    ca: Path | None = None
    accounts: dict[str, str] = field(default_factory=dict)
    public: set[str] = field(default_factory=set)
    tokens: TokenServer | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.ca else 'http'}://{self.host}"


@pytest.fixture
def docker_registry(tmp_path: Path) -> Iterator[DockerRegistry]:
    """A registry without TLS that asks nobody; it deletes."""
    with _running(tmp_path, {}) as port:
        yield DockerRegistry(f"127.0.0.1:{port}")


@pytest.fixture
def docker_registry_basic(tmp_path: Path) -> Iterator[DockerRegistry]:
    """A registry with Basic authentication over TLS with a private authority."""
    tls, ca = _make_tls(tmp_path)
    passwords = tmp_path / "htpasswd"
    passwords.write_text(f"{USER}:{_HTPASSWD_HASH}\n")
    auth = {"htpasswd": {"realm": "tests", "path": str(passwords)}}
    with _running(tmp_path, {"auth": auth}, tls) as port:
        yield DockerRegistry(f"localhost:{port}", ca, {USER: PASSWORD})


@pytest.fixture
def docker_registry_token(tmp_path: Path) -> Iterator[DockerRegistry]:
    """A registry with docker's token authentication, both over TLS with a private authority."""
    from cheroot.ssl.builtin import BuiltinSSLAdapter
    from cheroot.wsgi import Server

    tls, ca = _make_tls(tmp_path)
    signer, leaf = _token_signer()
    bundle = tmp_path / "signer.pem"
    signer.cert_pem.write_to_path(str(bundle))
    accounts, public = {USER: PASSWORD}, {"octo/public"}
    tokens = TokenServer(leaf, accounts=accounts, public=public)
    server: Any = Server(("127.0.0.1", 0), tokens, numthreads=4)
    server.ssl_adapter = BuiltinSSLAdapter(tls["certificate"], tls["key"])
    auth = {"service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(bundle)}
    with (
        _serving(server) as realm,
        _running(tmp_path, {"auth": {"token": {"realm": realm, **auth}}}, tls) as port,
    ):
        yield DockerRegistry(f"localhost:{port}", ca, accounts, public, tokens)


@cache
def _token_signer() -> tuple[trustme.CA, trustme.LeafCert]:
    """Make the authority and the certificate that sign tokens; RSA keys take their time."""
    signer = trustme.CA(key_type=trustme.KeyType.RSA)
    return signer, signer.issue_cert("tokens.test", key_type=trustme.KeyType.RSA)


@contextmanager
def _serving(server: Any) -> Iterator[str]:
    import threading

    server.expiration_interval = 0.1
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.bind_addr[1]}/token"
    finally:
        server.stop()
        thread.join(timeout=10)


def _make_tls(directory: Path) -> tuple[dict[str, str], Path]:
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    certificate, key, ca = (directory / name for name in ("tls.pem", "tls.key", "ca.pem"))
    certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(str(key))
    authority.cert_pem.write_to_path(str(ca))
    return {"certificate": str(certificate), "key": str(key)}, ca


@contextmanager
def _running(
    directory: Path, settings: dict[str, Any], tls: dict[str, str] | None = None
) -> Iterator[int]:
    """Run the registry until the block ends; yield its port."""
    program = require_peer("docker-registry")
    port = _free_port()
    http: dict[str, Any] = {"addr": f"127.0.0.1:{port}", "secret": "tests"}
    if tls:
        http["tls"] = tls
    config = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(directory / "registry")},
            "delete": {"enabled": True},
        },
        "http": http,
        # Without it no manifest with foreign layers is taken.
        "validation": {"manifests": {"urls": {"allow": ["^https?://"]}}},
        **settings,
    }
    path = directory / "registry.yml"
    # JSON is YAML.
    path.write_text(json.dumps(config))
    with (directory / "registry.log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(path)], stdout=log, stderr=log)
        try:
            _wait(process, port, directory / "registry.log")
            yield port
        finally:
            process.terminate()
            process.wait(timeout=10)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"docker-registry did not start: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
