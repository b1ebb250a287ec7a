"""Connections that distinguish a slow TLS handshake from a host that stalls later."""

from __future__ import annotations

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError


class TimedHTTPSConnection(HTTPSConnection):
    """A connection whose handshake, also that of a proxy's tunnel, counts as connecting.

    The library reports a handshake that takes too long as a read that took too long, though its
    limit is that for connecting.
    """

    def connect(self) -> None:
        """Connect.

        Raises:
            ConnectTimeoutError: it took longer than the limit for connecting.
        """
        try:
            super().connect()
        except TimeoutError as error:
            raise ConnectTimeoutError(
                self, f"TLS handshake timed out (connect timeout={self.timeout})"
            ) from error
