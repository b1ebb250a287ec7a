"""HTTPS connections that report a slow TLS handshake as a connect timeout."""

from __future__ import annotations

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError


class TimedHTTPSConnection(HTTPSConnection):
    """A connection whose TLS handshake counts as connecting, even in a proxy's tunnel.

    urllib3 reports a slow handshake as a read timeout, although the connect timeout limits it.
    """

    def connect(self) -> None:
        """Connect.

        Raises:
            ConnectTimeoutError: connecting took longer than the connect timeout.
        """
        try:
            super().connect()
        except TimeoutError as error:
            raise ConnectTimeoutError(
                self, f"TLS handshake timed out (connect timeout={self.timeout})"
            ) from error
