"""The server that carries the application: cheroot, an optional extra.

What belongs here: binding, threads, starting and stopping. What does not: the protocol (``app``).
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import ConnectionFailedError, UnsupportedError
from ghcrctl.server.chunked import with_bounded_chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from typing_extensions import Self

    Application = Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes]]

THREADS = 16
BACKLOG = 128
_log = logging.getLogger(__name__)


class Server:
    """An HTTP/1.1 server on one address, bound when it is made.

    Args:
        app: a WSGI application.
        host: the address to listen at.
        port: 0 chooses a free one.

    Raises:
        UnsupportedError: cheroot is not installed.
        ConnectionFailedError: the address cannot be listened at.
    """

    def __init__(self, app: Application, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self._server = _make_server(app, host, port)
        self._thread: threading.Thread | None = None
        try:
            _probe(host, port)
            self._server.prepare()
        except OSError as error:
            raise _bind_error(host, port, error) from None
        self.port = int(self._server.bind_addr[1])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where the server is: scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def run(self) -> None:
        """Serve until `stop` is called or the person interrupts."""
        self._server.serve()

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="ghcrctl-serve", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and give the port back."""
        self._server.stop()
        if self._thread:
            self._thread.join(timeout=10)
            self._thread = None


def _make_server(app: Application, host: str, port: int) -> Any:
    try:
        from cheroot import wsgi
    except ImportError:
        raise UnsupportedError(
            "serving needs cheroot, which is not installed", hint="pip install 'ghcrctl[serve]'"
        ) from None
    server: Any = wsgi.Server(
        (host, port),
        with_bounded_chunks(app),
        numthreads=THREADS,
        max=4 * THREADS,
        server_name="ghcrctl",
        request_queue_size=BACKLOG,
        timeout=60,
        shutdown_timeout=2,
    )
    # Left alone, cheroot prints a traceback for every client that hangs up.
    server.error_log = _log_error
    server.ConnectionClass = _connection_class()
    # Seconds that an idle server takes to notice that it shall stop.
    server.expiration_interval = 0.1
    return server


def _connection_class() -> Any:
    """Connections that give up, when they close, what a client that hung up never took.

    cheroot leaves it to the garbage collector, and there Python 3.13 prints a traceback.
    """
    from cheroot.server import HTTPConnection

    class Connection(HTTPConnection):  # type: ignore[misc, unused-ignore]
        def close(self) -> None:
            super().close()
            with contextlib.suppress(OSError):
                self.wfile.close()

    return Connection


def _probe(host: str, port: int) -> None:
    """Bind for a moment: of a failure, cheroot hides the reason and leaks the socket."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    socket.create_server((host, port), family=family).close()


def _log_error(message: str = "", level: int = logging.ERROR, traceback: bool = False) -> None:  # noqa: FBT001, FBT002 cheroot's signature
    _log.log(level, "%s", message.rstrip(), exc_info=traceback)


def _bind_error(host: str, port: int, error: OSError) -> ConnectionFailedError:
    # The error's own text repeats the address, in brackets.
    reason = (error.strerror or str(error)).partition(" (while")[0]
    return ConnectionFailedError(
        f"cannot listen at {host}:{port}: {reason}",
        hint="choose another address with --addr HOST:PORT; port 0 chooses a free one",
    )
