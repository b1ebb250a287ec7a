"""Addresses of docker engines, and TLS connections to them."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from ghcrctl.archive.engine import Engine
from ghcrctl.archive.engine_address import EngineAddress
from ghcrctl.errors import InvalidSettingError, TlsError, UnsupportedError
from ghcrctl.settings import Settings
from tests.unit.archive.engine_double import EngineDouble, RunningDouble

if TYPE_CHECKING:
    from collections.abc import Iterator

CERTS = Path("/certs")


@pytest.mark.parametrize(
    ("text", "tls", "address"),
    [
        ("unix:///run/docker.sock", None, EngineAddress("/run/docker.sock")),
        ("unix:///run/docker.sock", CERTS, EngineAddress("/run/docker.sock")),
        ("unix://", None, EngineAddress("/var/run/docker.sock")),
        ("tcp://box:99", None, EngineAddress("", "box", 99)),
        ("tcp://box", None, EngineAddress("", "box", 2375)),
        ("tcp://box", CERTS, EngineAddress("", "box", 2376, tls=CERTS)),
        ("tcp://[::1]:99/docker/", None, EngineAddress("", "::1", 99, "/docker")),
        ("box:99", None, EngineAddress("", "box", 99)),
        ("tcp://:99", None, EngineAddress("", "localhost", 99)),
    ],
)
def test_parse_address_like_docker(text: str, tls: Path | None, address: EngineAddress) -> None:
    assert EngineAddress.parse(text, tls) == address


@pytest.mark.parametrize(
    "text", ["unix:///run/docker.sock", "tcp://box:99", "tcp://[::1]:99", "tcp://127.0.0.1:2375"]
)
def test_address_is_shown_as_written(text: str) -> None:
    assert str(EngineAddress.parse(text)) == text
    assert Engine(text).label == f"the docker engine at {text}"


@pytest.mark.parametrize(
    "text",
    [
        "tcp://box:port",
        "tcp://box:99999",
        "tcp://me:secret@box:99",
        "tcp://box?secret",
        "tcp://[::1:99",
        "fd://",
        "ftp://secret",
        "://",
    ],
)
def test_invalid_address_error_shows_no_secrets(text: str) -> None:
    with pytest.raises(InvalidSettingError) as caught:
        Engine(text)
    assert "unix:///var/run/docker.sock" in str(caught.value.hint)
    assert "secret" not in f"{caught.value} {caught.value.hint}"


def test_ssh_address_error_suggests_a_tunnel() -> None:
    with pytest.raises(UnsupportedError, match="ssh://") as caught:
        Engine("ssh://me:secret@box:22/run")
    assert "ssh -nNT -L /tmp/docker.sock:" in str(caught.value.hint)
    assert "secret" not in str(caught.value.hint)


def test_windows_pipe_is_not_supported() -> None:
    with pytest.raises(UnsupportedError, match="Windows pipe"):
        Engine("npipe:////./pipe/docker_engine")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, (None, None)),
        ({"DOCKER_HOST": ""}, (None, None)),
        ({"DOCKER_HOST": "tcp://box:99"}, ("tcp://box:99", None)),
        ({"DOCKER_CERT_PATH": "/certs"}, (None, None)),
        ({"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"}, (None, CERTS)),
        ({"DOCKER_TLS_VERIFY": "0", "DOCKER_CERT_PATH": "/certs"}, (None, CERTS)),
        ({"DOCKER_TLS_VERIFY": "1", "DOCKER_CONFIG": "/config"}, (None, Path("/config"))),
        ({"DOCKER_TLS_VERIFY": "1"}, (None, Path("/me/.docker"))),
    ],
)
def test_engine_address_from_the_environment(
    environ: dict[str, str], expected: tuple[str | None, Path | None]
) -> None:
    assert Settings({"HOME": "/me", **environ}).docker_engine == expected


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificates(authority: trustme.CA, tmp_path: Path) -> Path:
    """A directory with certificates, as in DOCKER_CERT_PATH."""
    ours = authority.issue_cert("client.example")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    ours.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    ours.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    return tmp_path


@pytest.fixture
def secured(authority: trustme.CA) -> Iterator[EngineDouble]:
    """An engine with a certificate that requires a client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with RunningDouble(None, context) as running:
        running.double.images["image"] = {"Id": "sha256:1"}
        running.double.saved = bytes(300_000)
        yield running.double


def test_connect_over_tls_with_a_client_certificate(
    secured: EngineDouble, certificates: Path
) -> None:
    engine = Engine(secured.address, certificates)
    assert engine.inspect("image") == {"Id": "sha256:1"}
    stream = engine.save(["image"])
    assert stream.read(1_000_000) == bytes(300_000)
    stream.close()
    assert engine.load([bytes(100_000)]) == []


def test_path_of_the_address_is_a_prefix() -> None:
    with RunningDouble(None) as running:
        running.double.images["image"] = {}
        Engine(f"{running.double.address}/docker/").inspect("image")
        assert running.double.requested == [
            "GET /docker/_ping",
            "GET /docker/v1.41/images/image/json",
        ]


def test_certificate_of_another_ca_is_not_trusted(
    secured: EngineDouble, certificates: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(str(certificates / "ca.pem"))
    with pytest.raises(TlsError, match="is not trusted: ") as caught:
        Engine(secured.address, certificates).ping()
    assert str(certificates / "ca.pem") in str(caught.value.hint)


def test_missing_client_certificate_is_an_error(secured: EngineDouble, certificates: Path) -> None:
    (certificates / "key.pem").unlink()
    with pytest.raises(TlsError, match="requires a client certificate"):
        Engine(secured.address, certificates).ping()


def test_tls_to_an_unencrypted_engine_is_an_error(certificates: Path) -> None:
    with RunningDouble(None) as running, pytest.raises(TlsError, match="does not support TLS"):
        Engine(running.double.address, certificates).ping()


def test_unencrypted_request_to_a_tls_engine_has_a_hint() -> None:
    with RunningDouble(None) as running:
        text = b"Client sent an HTTP request to an HTTPS server.\n"
        running.double.script["/_ping"] = b"HTTP/1.0 400 Bad Request\r\n\r\n" + text
        with pytest.raises(TlsError, match="requires TLS") as caught:
            Engine(running.double.address).ping()
        assert "DOCKER_TLS_VERIFY=1" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["ca.pem", "cert.pem", "key.pem"])
def test_invalid_certificates_are_an_error(certificates: Path, name: str) -> None:
    (certificates / name).write_text("no PEM")
    with pytest.raises(TlsError, match="cannot read the certificates"):
        Engine("tcp://127.0.0.1:9", certificates).ping()


def test_encrypted_key_does_not_prompt(
    certificates: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from cryptography.hazmat.primitives import serialization

    path = certificates / "key.pem"
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(TlsError, match="cannot read the certificates"):
        Engine("tcp://127.0.0.1:9", certificates).ping()
    assert capfd.readouterr().out == ""
