"""Debian's docker-registry as fixtures: plain, htpasswd over TLS, tokens over TLS."""

from __future__ import annotations

import json
import select
import socket
import socketserver
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import trustme

from ghcrctl.operations.moving.push import push
from ghcrctl.transfer.events import Finished, Outcome
from tests.builders import Built, random_image
from tests.integration.peers import require_peer
from tests.integration.token_server import ISSUER, SERVICE, TokenServer
from tests.sessions import session_on
from tests.unit.store.acts import fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Event, Observer

USER = "octo"
PASSWORD = "correct horse"
IMAGE = random_image(seed=1)
# The bcrypt hash of PASSWORD; docker-registry supports only bcrypt.
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
        client: the certificate and the key that a client has to show, where one has to.
    """

    host: str
    ca: Path | None = None
    accounts: dict[str, str] = field(default_factory=dict)
    public: set[str] = field(default_factory=set)
    tokens: TokenServer | None = None
    client: tuple[Path, Path] | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.ca else 'http'}://{self.host}"


class Desk:
    """A user's machine: sessions that share a home, with their messages and requests."""

    def __init__(self, registry: DockerRegistry, folder: Path) -> None:
        self.registry = registry
        self.folder = folder
        self.password = PASSWORD if registry.accounts else ""
        self.said: list[str] = []
        self.asked: list[str] = []
        self.environ = {"GHCRCTL_CA_FILE": str(registry.ca)} if registry.ca else {}

    @contextmanager
    def session(self, folder: str = "home", **environ: str) -> Iterator[Session]:
        """Start a session with the current password; each folder is a separate home."""
        with session_on(
            self.folder / folder,
            registry=self.registry.host,
            token=self.password,
            warn=self.said.append,
            debug=self.asked.append,
            environ={"GHCRCTL_USERNAME": USER, **self.environ, **environ},
        ) as made:
            yield made

    def name(self, text: str = "octo/image:1.0") -> str:
        """Return the full name of a repository at the registry."""
        return f"{self.registry.host}/{text}"

    def push(
        self,
        image: Built = IMAGE,
        text: str = "octo/image:1.0",
        *,
        observer: Observer = lambda _: None,
        **environ: str,
    ) -> list[Outcome]:
        """Push an image from another home."""
        events: list[Event] = []

        def watch(event: Event) -> None:
            events.append(event)
            observer(event)

        with self.session("publisher", **environ) as session:
            fill(session.store, image, self.name(text), pulled=False)
            push(session, session.parse(self.name(text)), observer=watch)
        return [e.outcome for e in events if isinstance(e, Finished)]


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy that records the requested hosts, for tunnels and plain HTTP."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Relay)
        self.seen: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Relay(socketserver.StreamRequestHandler):
    # With a buffer, the handler would read data of the tunnel.
    rbufsize = 0

    def handle(self) -> None:
        head = self.rfile.readline()
        while line := self.rfile.readline().strip():
            head += line + b"\r\n"
        method, target, _ = head.decode().split(" ", 2)
        tunnel = method == "CONNECT"
        host = target if tunnel else urlsplit(target).netloc
        assert isinstance(self.server, Proxy)
        self.server.seen.append(f"{method} {host}")
        name, _, port = host.partition(":")
        # Either side may close the connection early.
        with suppress(OSError), socket.create_connection((name, int(port))) as far:
            if tunnel:
                self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                far.sendall(head + b"\r\n")
            _join(self.request, far)


def _join(one: socket.socket, other: socket.socket) -> None:
    """Forward data in both directions until one side closes."""
    across = {one: other, other: one}
    while True:
        for end in select.select([one, other], [], [])[0]:
            data = end.recv(65536)
            if not data:
                return
            across[end].sendall(data)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """An unused proxy."""
    with Proxy() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join(timeout=10)


def _trust_nobody(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the system's CA certificates by an unused one; the real list is slow to read."""
    path = directory / "system.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("SSL_CERT_DIR", str(directory / "none"))


@pytest.fixture
def docker_registry(tmp_path: Path) -> Iterator[DockerRegistry]:
    """A registry without TLS and authentication that allows deletion."""
    with running(tmp_path, {}) as server:
        yield DockerRegistry(f"127.0.0.1:{server.port}")


@pytest.fixture
def docker_registry_basic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DockerRegistry]:
    """A registry with Basic authentication over TLS with a private CA."""
    _trust_nobody(tmp_path, monkeypatch)
    tls, ca = _make_tls(tmp_path)
    passwords = tmp_path / "htpasswd"
    passwords.write_text(f"{USER}:{_HTPASSWD_HASH}\n")
    auth = {"htpasswd": {"realm": "tests", "path": str(passwords)}}
    with running(tmp_path, {"auth": auth}, tls) as server:
        yield DockerRegistry(f"localhost:{server.port}", ca, {USER: PASSWORD})


@pytest.fixture
def docker_registry_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DockerRegistry]:
    """A registry that requires a client certificate of its private CA."""
    _trust_nobody(tmp_path, monkeypatch)
    authority = trustme.CA()
    tls, ca = _make_tls(tmp_path, authority)
    leaf = authority.issue_cert("octo@example.com")
    certificate, key = tmp_path / "client.pem", tmp_path / "client.key"
    leaf.cert_chain_pems[0].write_to_path(str(certificate))
    leaf.private_key_pem.write_to_path(str(key))
    with running(tmp_path, {}, {**tls, "clientcas": [str(ca)]}) as server:
        yield DockerRegistry(f"localhost:{server.port}", ca, client=(certificate, key))


@pytest.fixture
def docker_registry_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DockerRegistry]:
    """A registry with docker's token authentication, over TLS with a private CA."""
    _trust_nobody(tmp_path, monkeypatch)
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
        running(tmp_path, {"auth": {"token": {"realm": realm, **auth}}}, tls) as registry,
    ):
        yield DockerRegistry(f"localhost:{registry.port}", ca, accounts, public, tokens)


@cache
def _token_signer() -> tuple[trustme.CA, trustme.LeafCert]:
    """Create the CA and the certificate that sign tokens; RSA keys are slow to generate."""
    signer = trustme.CA(key_type=trustme.KeyType.RSA)
    return signer, signer.issue_cert("tokens.test", key_type=trustme.KeyType.RSA)


@contextmanager
def _serving(server: Any) -> Iterator[str]:
    server.expiration_interval = 0.1
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.bind_addr[1]}/token"
    finally:
        server.stop()
        thread.join(timeout=10)


def _make_tls(directory: Path, authority: trustme.CA | None = None) -> tuple[dict[str, str], Path]:
    authority = authority or trustme.CA()
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    certificate, key, ca = (directory / name for name in ("tls.pem", "tls.key", "ca.pem"))
    certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(str(key))
    authority.cert_pem.write_to_path(str(ca))
    return {"certificate": str(certificate), "key": str(key)}, ca


@dataclass(frozen=True, slots=True)
class Running:
    """The process of a registry and its port on 127.0.0.1."""

    port: int
    process: subprocess.Popen[bytes]


@contextmanager
def running(
    directory: Path, settings: dict[str, Any], tls: dict[str, Any] | None = None
) -> Iterator[Running]:
    """Run the registry until the block ends."""
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
        # Without this setting, manifests with foreign layers are rejected.
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
            yield Running(port, process)
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
