"""Translation of the HTTP library's errors, where its own would be misleading."""

from __future__ import annotations

import errno
from http.client import HTTPException, RemoteDisconnected

import pytest
import requests
import urllib3

from ghcrctl.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    GhcrctlError,
    InvalidResponseError,
    NetworkError,
    TimedOutError,
    TlsError,
)
from ghcrctl.registry.transport_errors import never_connected, translate, translate_errors


@pytest.mark.parametrize(
    "cause",
    [
        RemoteDisconnected("Remote end closed connection without response"),
        ConnectionResetError(104, "Connection reset by peer"),
    ],
)
def test_a_host_that_closes_the_connection_behind_a_proxy_is_not_blamed_on_the_proxy(
    cause: Exception,
) -> None:
    error = urllib3.exceptions.ProxyError("Unable to connect to proxy", cause)
    found = translate(error, "ghcr.io", moving=False)
    assert isinstance(found, ConnectionLostError)
    assert found.retryable


def test_a_proxy_that_is_down_is_named() -> None:
    cause = ConnectionRefusedError(111, "Connection refused")
    error = urllib3.exceptions.ProxyError("Unable to connect to proxy", cause)
    found = translate(error, "ghcr.io", moving=False)
    assert isinstance(found, ConnectionFailedError)
    assert "HTTPS_PROXY" in (found.hint or "")


def tls(text: str) -> Exception:
    return requests.exceptions.SSLError(f"HTTPSConnectionPool: {text}")


def refused(error: Exception) -> Exception:
    return requests.exceptions.ConnectionError(
        urllib3.exceptions.NewConnectionError(None, f"Failed: {error}")  # type: ignore[arg-type]
    )


UNTRUSTED = "certificate verify failed: self-signed certificate (_ssl.c:1006)"


@pytest.mark.parametrize(
    ("error", "kind", "message", "hint", "retryable"),
    [
        (
            tls("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] alert (_ssl.c:2580)"),
            TlsError,
            "ghcr.io requires a trusted client certificate",
            "--client-cert",
            False,
        ),
        (
            tls(f"[SSL: CERTIFICATE_VERIFY_FAILED] {UNTRUSTED}"),
            TlsError,
            "the certificate of ghcr.io is not trusted: self-signed certificate",
            "--ca-file",
            False,
        ),
        (
            tls("[SSL: CERTIFICATE_VERIFY_FAILED]"),
            TlsError,
            "the certificate of ghcr.io is not trusted",
            "--ca-file",
            False,
        ),
        (
            tls("[SSL: WRONG_VERSION_NUMBER] wrong version number"),
            TlsError,
            "ghcr.io does not speak TLS",
            "--insecure",
            False,
        ),
        (
            tls("[SSL: RECORD_LAYER_FAILURE] record layer failure"),
            TlsError,
            "ghcr.io does not speak TLS",
            "--insecure",
            False,
        ),
        (tls("[SSL: HTTP_REQUEST]"), TlsError, "ghcr.io does not speak TLS", "--insecure", False),
        (
            tls("UNEXPECTED_EOF_WHILE_READING"),
            TlsError,
            "TLS handshake with ghcr.io failed",
            "",
            True,
        ),
        (tls("something"), TlsError, "TLS handshake with ghcr.io failed", "", False),
        (
            refused(ConnectionRefusedError(111, "Connection refused")),
            ConnectionFailedError,
            "ghcr.io refused the connection",
            "check the host name and port",
            True,
        ),
        (
            refused(OSError(113, "No route to host")),
            ConnectionFailedError,
            "ghcr.io cannot be reached",
            "",
            True,
        ),
        (
            requests.exceptions.ConnectTimeout("timed out. (connect timeout=15.0)"),
            TimedOutError,
            "ghcr.io timed out: no connection after 15 s",
            "--connect-timeout",
            True,
        ),
        (
            requests.exceptions.ConnectTimeout("timed out"),
            TimedOutError,
            "ghcr.io timed out: no connection",
            "--connect-timeout",
            True,
        ),
        (
            requests.exceptions.ReadTimeout("Read timed out. (read timeout=0.5)"),
            TimedOutError,
            "ghcr.io timed out: no data after 0.5 s",
            "--stall-timeout",
            True,
        ),
        (
            TimeoutError("timed out"),
            TimedOutError,
            "ghcr.io timed out: no data",
            "--stall-timeout",
            True,
        ),
        (
            requests.exceptions.ConnectionError(
                urllib3.exceptions.NameResolutionError("ghcr.io", None, OSError("unknown"))  # type: ignore[arg-type]
            ),
            ConnectionFailedError,
            "cannot resolve the host name ghcr.io",
            "registry's spelling",
            True,
        ),
        (
            requests.exceptions.InvalidURL("bad"),
            InvalidResponseError,
            "invalid URL with the host ghcr.io",
            "",
            False,
        ),
        (
            requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("cut")),
            ConnectionLostError,
            "the connection to ghcr.io was lost",
            "",
            True,
        ),
        (
            requests.exceptions.ConnectionError("odd"),
            ConnectionFailedError,
            "ghcr.io cannot be reached",
            "",
            True,
        ),
    ],
    ids=str,
)
def test_each_library_error_has_a_message(
    error: Exception, kind: type[GhcrctlError], message: str, hint: str, retryable: bool
) -> None:
    found = translate(error, "ghcr.io", moving=False)
    assert type(found) is kind
    assert found.message == message
    assert hint in (found.hint or "")
    assert found.retryable is retryable


def test_after_the_first_byte_an_error_is_a_lost_connection() -> None:
    error = OSError(errno.EPIPE, "Broken pipe")
    assert isinstance(translate(error, "ghcr.io", moving=True), ConnectionLostError)
    assert isinstance(translate(error, "ghcr.io", moving=False), ConnectionFailedError)
    # More specific errors are kept.
    assert isinstance(translate(TimeoutError(), "ghcr.io", moving=True), TimedOutError)


def test_a_cause_may_be_anywhere_in_the_chain() -> None:
    outer = requests.exceptions.ConnectionError("outer")
    outer.__context__ = tls("[SSL: HTTP_REQUEST]")
    assert isinstance(translate(outer, "ghcr.io", moving=False), TlsError)
    circle = OSError("a")
    circle.__cause__ = circle
    assert isinstance(translate(circle, "ghcr.io", moving=False), ConnectionFailedError)


@pytest.mark.parametrize("error", [ValueError("invalid chunk"), HTTPException("bad status")])
def test_invalid_http_is_an_invalid_response(error: Exception) -> None:
    with pytest.raises(InvalidResponseError, match=r"ghcr\.io returned an invalid HTTP") as caught:
        raise_translated(error)
    assert caught.value.__cause__ is error


def test_our_own_errors_are_unchanged() -> None:
    error = GhcrctlError("ours")
    with pytest.raises(GhcrctlError) as caught:
        raise_translated(error)
    assert caught.value is error


def test_a_host_that_was_never_connected_to_is_distinguished() -> None:
    for error, expected in (
        (refused(OSError("no")), True),
        (requests.exceptions.ConnectTimeout("timed out"), True),
        (requests.exceptions.ReadTimeout("timed out"), False),
        (requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("cut")), False),
    ):
        with pytest.raises(NetworkError) as caught:
            raise_translated(error)
        assert never_connected(caught.value) is expected


def raise_translated(error: Exception) -> None:
    with translate_errors("https://ghcr.io/v2/?token=secret"):
        raise error
