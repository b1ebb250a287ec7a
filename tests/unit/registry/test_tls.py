"""TLS trust: handshakes with a real server on loopback, also through a proxy."""

from __future__ import annotations

import select
import socket
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.errors import ExitStatus, NetworkError, ProxyError, TlsError
from ghcrctl.registry.endpoint import TlsPolicy
from ghcrctl.registry.transport import Transport
from ghcrctl.registry.transport_options import TransportOptions
from tests.unit.registry.lan import Lan, answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

NAMED = "registry.example"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> Path:
    """The file with the CA certificate."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAMED, "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[Lan]:
    with Lan(server_context(authority)) as made:
        made.act = lambda handler: answer(handler, b"here")
        yield made


@pytest.fixture
def strict_server(authority: trustme.CA) -> Iterator[Lan]:
    """A server that requires a client certificate."""
    context = server_context(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    with Lan(context) as made:
        made.act = lambda handler: answer(handler, b"here")
        yield made


def ask(url: str, policy: TlsPolicy) -> str:
    """Return the response body for a client with a TLS policy."""
    transport = Transport(TransportOptions(retry=RetryPolicy(attempts=1), tls=policy))
    transport.guard.trust(url)
    try:
        return transport.request("GET", url).text
    finally:
        transport.close()


def test_an_unknown_ca_is_not_trusted(server: Lan) -> None:
    with pytest.raises(TlsError, match="is not trusted") as caught:
        ask(server.url, TlsPolicy())
    assert "--ca-file" in (caught.value.hint or "")
    assert caught.value.exit_status is ExitStatus.NETWORK
    assert server.seen == []


def test_a_configured_ca_is_trusted(server: Lan, trusted: Path) -> None:
    assert ask(server.url, TlsPolicy(ca_file=trusted)) == "here"


def test_another_ca_is_not_trusted(server: Lan, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with pytest.raises(TlsError, match="is not trusted"):
        ask(server.url, TlsPolicy(ca_file=other))


def test_a_certificate_for_another_host_is_not_trusted(server: Lan, trusted: Path) -> None:
    with pytest.raises(TlsError, match="is not trusted"):
        ask(f"https://localhost:{server.port}/", TlsPolicy(ca_file=trusted))
    assert server.seen == []


def test_insecure_trusts_any_certificate(server: Lan) -> None:
    assert ask(server.url, TlsPolicy(insecure=True)) == "here"


@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_folder_is_searched(server: Lan, trusted: Path, tmp_path: Path, number: int) -> None:
    folders = tuple(tmp_path / name for name in ("ours", "docker", "podman"))
    place = folders[number] / f"127.0.0.1:{server.port}"
    place.mkdir(parents=True)
    trusted.rename(place / "any name.crt")
    assert ask(server.url, TlsPolicy(cert_dirs=folders)) == "here"


@pytest.mark.parametrize(
    ("folder", "name"),
    [("127.0.0.1", "ca.crt"), ("127.0.0.1:1", "ca.crt"), ("127.0.0.1:{port}", "ca.pem")],
)
def test_folders_of_other_hosts_and_other_files_are_ignored(
    server: Lan, trusted: Path, tmp_path: Path, folder: str, name: str
) -> None:
    place = tmp_path / folder.format(port=server.port)
    place.mkdir()
    trusted.rename(place / name)
    with pytest.raises(TlsError, match="is not trusted"):
        ask(server.url, TlsPolicy(cert_dirs=(tmp_path,)))


def test_the_cas_of_a_registry_apply_to_its_token_endpoint(
    server: Lan, trusted: Path, tmp_path: Path
) -> None:
    (tmp_path / NAMED).mkdir()
    trusted.rename(tmp_path / NAMED / "ca.crt")
    assert ask(server.url, TlsPolicy(cert_dirs=(tmp_path,), registry=NAMED)) == "here"
    with pytest.raises(TlsError):
        ask(server.url, TlsPolicy(cert_dirs=(tmp_path,), registry="other.example"))


def test_a_client_without_a_certificate_is_rejected(strict_server: Lan, trusted: Path) -> None:
    with pytest.raises(NetworkError):
        ask(strict_server.url, TlsPolicy(ca_file=trusted))
    assert strict_server.seen == []


@pytest.mark.parametrize("in_folder", [True, False])
def test_a_client_certificate_is_sent_on_request(
    strict_server: Lan, authority: trustme.CA, trusted: Path, tmp_path: Path, in_folder: bool
) -> None:
    place = tmp_path / f"127.0.0.1:{strict_server.port}"
    place.mkdir()
    certificate, key = place / "client.cert", place / "client.key"
    client = authority.issue_cert("octo@example.com")
    client.cert_chain_pems[0].write_to_path(str(certificate))
    client.private_key_pem.write_to_path(str(key))
    policy = TlsPolicy(ca_file=trusted, client_cert=certificate, client_key=key)
    if in_folder:
        policy = TlsPolicy(ca_file=trusted, cert_dirs=(tmp_path,))
    assert ask(strict_server.url, policy) == "here"


@pytest.fixture
def proxy(server: Lan, lan: Lan, monkeypatch: pytest.MonkeyPatch) -> Lan:
    """A proxy whose tunnels all lead to the server."""

    def tunnel(handler: BaseHTTPRequestHandler) -> None:
        near = handler.connection
        with socket.create_connection(("127.0.0.1", server.port)) as far:
            handler.send_response(200)
            handler.end_headers()
            across = {near: far, far: near}
            while ends := select.select([near, far], [], [], 5)[0]:
                for end in ends:
                    data = end.recv(65536)
                    if not data:
                        handler.close_connection = True
                        return
                    across[end].sendall(data)

    lan.act = tunnel
    monkeypatch.setenv("HTTPS_PROXY", lan.url)
    return lan


def test_behind_a_proxy_the_same_cas_are_trusted(proxy: Lan, server: Lan, trusted: Path) -> None:
    assert ask(f"https://{NAMED}/v2/", TlsPolicy(ca_file=trusted)) == "here"
    assert proxy.seen == [("CONNECT", f"{NAMED}:443")]
    assert server.seen == [("GET", "/v2/")]


def test_behind_a_proxy_other_cas_are_not_trusted(proxy: Lan, server: Lan) -> None:
    with pytest.raises(TlsError, match=r"registry\.example is not trusted"):
        ask(f"https://{NAMED}/v2/", TlsPolicy())
    assert len(proxy.seen) == 1
    assert server.seen == []


def test_behind_a_proxy_the_registrys_folder_is_used(
    proxy: Lan, trusted: Path, tmp_path: Path
) -> None:
    (tmp_path / NAMED).mkdir()
    trusted.rename(tmp_path / NAMED / "ca.crt")
    assert ask(f"https://{NAMED}/v2/", TlsPolicy(cert_dirs=(tmp_path,))) == "here"
    assert len(proxy.seen) == 1


def test_behind_a_proxy_insecure_trusts_any_certificate(proxy: Lan) -> None:
    assert ask(f"https://{NAMED}/v2/", TlsPolicy(insecure=True)) == "here"
    assert len(proxy.seen) == 1


def test_a_tls_proxy_is_trusted_like_a_host(
    server: Lan, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.act = lambda handler: answer(handler, b"no", status=403)
    monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{server.port}")
    with pytest.raises(ProxyError, match="the certificate of the proxy is not trusted"):
        ask(f"https://{NAMED}/v2/", TlsPolicy())
    assert server.seen == []
    with pytest.raises(ProxyError, match=r"does not allow this host \(status 403\)"):
        ask(f"https://{NAMED}/v2/", TlsPolicy(ca_file=trusted))
    assert server.seen == [("CONNECT", f"{NAMED}:443")]
