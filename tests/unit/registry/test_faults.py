"""The HTTP library's errors in our words, where its own would mislead."""

from __future__ import annotations

from http.client import RemoteDisconnected

import pytest
import urllib3

from ghcrctl.errors import ConnectionFailedError, ConnectionLostError
from ghcrctl.registry.faults import translate


@pytest.mark.parametrize(
    "cause",
    [
        RemoteDisconnected("Remote end closed connection without response"),
        ConnectionResetError(104, "Connection reset by peer"),
    ],
)
def test_a_host_that_hangs_up_behind_a_proxy_is_not_taken_for_the_proxy(cause: Exception) -> None:
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
