"""Registry hosts and TLS trust."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from ghcrctl.errors import ExitStatus, InvalidSettingError
from ghcrctl.registry.endpoint import (
    TlsPolicy,
    certificate_names,
    host_of,
    is_loopback,
    ssl_context,
)
from tests.closed_folder import close_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_docker_hub_has_another_host() -> None:
    assert host_of("docker.io") == "registry-1.docker.io"
    assert host_of("ghcr.io") == "ghcr.io"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("registry.localhost", True),
        ("127.0.0.1:5000", True),
        ("127.8.9.1", True),
        ("[::1]:5000", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("ghcr.io", False),
        ("", False),
    ],
)
def test_loopback_hosts_are_detected(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_insecure_accepts_anything() -> None:
    context = ssl_context(TlsPolicy(insecure=True), "ghcr.io")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


def test_otherwise_hosts_are_verified() -> None:
    context = ssl_context(TlsPolicy(), "ghcr.io")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_certificates_of_a_folder_for_the_host_are_used_and_of_others_not(tmp_path: Path) -> None:
    authority = trustme.CA()
    client = authority.issue_cert("client@example.com")
    for name in ("registry.lan:5000", "other.lan"):
        (tmp_path / name).mkdir()
    authority.cert_pem.write_to_path(str(tmp_path / "registry.lan:5000" / "ca.crt"))
    client.cert_chain_pems[0].write_to_path(str(tmp_path / "registry.lan:5000" / "c.cert"))
    client.private_key_pem.write_to_path(str(tmp_path / "registry.lan:5000" / "c.key"))
    (tmp_path / "other.lan" / "ca.crt").write_text("no certificate")
    policy = TlsPolicy(cert_dirs=(tmp_path / "absent", tmp_path))
    ssl_context(policy, "registry.lan:5000")
    with pytest.raises(InvalidSettingError, match=r"other\.lan/ca\.crt"):
        ssl_context(policy, "other.lan")


def test_an_inaccessible_certificate_folder_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ca.crt", "client.cert", "other.key"):
        path = tmp_path / "docker" / "certs.d" / "registry.lan" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("no certificate")
    close_folder(monkeypatch, tmp_path / "docker")
    ssl_context(TlsPolicy(cert_dirs=(tmp_path / "docker" / "certs.d",)), "registry.lan")


@pytest.mark.parametrize(
    ("registry", "on_windows", "names"),
    [
        ("reg.lan", False, ["reg.lan", "reg.lan:443"]),
        ("reg.lan:5000", False, ["reg.lan:5000"]),
        ("reg.lan:443", False, ["reg.lan:443", "reg.lan"]),
        ("[::1]:5000", False, ["[::1]:5000"]),
        # As in docker, then as in containerd.
        ("reg.lan:5000", True, ["reg.lan5000", "reg.lan_5000_"]),
        ("reg.lan", True, ["reg.lan", "reg.lan443", "reg.lan_443_"]),
        ("reg.lan:443", True, ["reg.lan443", "reg.lan", "reg.lan_443_"]),
        ("localhost:5000", True, ["localhost5000", "localhost_5000_"]),
        ("[::1]:5000", True, ["[1]5000", "[1]_5000_"]),
        ("[::1]", True, ["[1]", "[1]443", "[1]_443_"]),
    ],
)
def test_a_folder_of_certificates_has_a_name_that_its_system_allows(
    registry: str, names: list[str], *, on_windows: bool
) -> None:
    assert list(certificate_names(registry, on_windows=on_windows)) == names


@pytest.mark.parametrize("text", [None, "", "no certificate"])
def test_an_invalid_certificate_file_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    for policy in (TlsPolicy(ca_file=path), TlsPolicy(client_cert=path)):
        with pytest.raises(InvalidSettingError, match=r"ca\.pem") as caught:
            ssl_context(policy, "ghcr.io")
        assert caught.value.exit_status is ExitStatus.USAGE


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "client.cert",
            r"cannot use the client certificate .*client\.cert: its key .*client\.key is missing",
        ),
        (
            "client.key",
            r"cannot use the client key .*client\.key: its certificate .*client\.cert is missing",
        ),
    ],
)
def test_half_a_client_certificate_is_an_error(tmp_path: Path, name: str, words: str) -> None:
    folder = tmp_path / "registry.example:5000"
    folder.mkdir()
    (folder / name).write_text("")
    policy = TlsPolicy(cert_dirs=(tmp_path,))
    with pytest.raises(InvalidSettingError, match=words) as caught:
        ssl_context(policy, "registry.example:5000")
    assert caught.value.exit_status == 2
    assert ssl_context(policy, "other.example").check_hostname
