"""The HTTP server of the registry application; its libraries are the optional extra ``serve``."""

from __future__ import annotations

import logging
import socket
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ghcrctl.content.thread_waits import join
from ghcrctl.errors import ConnectionFailedError, UnsupportedError
from ghcrctl.server.chunked_body import with_bounded_chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from typing_extensions import Self

    Application = Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes]]

_log = logging.getLogger(__name__)


def check_libraries() -> None:
    """Check that the libraries of the server, an optional extra, are installed.

    Raises:
        UnsupportedError: one of them is missing.
    """
    for library in ("cheroot", "werkzeug"):
        if find_spec(library) is None:
            raise UnsupportedError(
                f"cannot serve: {library} is not installed", hint="pip install 'ghcrctl[serve]'"
            )


class Server:
    """An HTTP/1.1 server on one address, which it binds when it is created.

    Args:
        app: a WSGI application.
        host: address to listen on.
        port: port to listen on; 0 for any free port.
        head_seconds: time limit for one request head, by default 20 (seconds).
        cleanup: function to call after the server has stopped.

    Raises:
        ConnectionFailedError: the address cannot be bound.
    """

    def __init__(
        self,
        app: Application,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        head_seconds: float | None = None,
        cleanup: Callable[[], None] = lambda: None,
    ) -> None:
        self.host = host
        self._cleanup = cleanup
        self._server = _make_server(app, host, port, head_seconds)
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
        """The URL of the server, with scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def run(self) -> None:
        """Serve until `stop` is called or the user presses Ctrl-C."""
        self._server.serve()

    def start(self) -> None:
        """Serve in a background thread."""
        self._thread = threading.Thread(target=self.run, name="ghcrctl-serve", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self.stop()

    def stop(self) -> None:
        """Stop serving, release the port and clean up."""
        self._server.stop()
        if self._thread:
            join(self._thread, _STOP_SECONDS)
            self._thread = None
        self._cleanup()


_STOP_SECONDS = 10.0


def _make_server(app: Application, host: str, port: int, head_seconds: float | None) -> Any:
    from ghcrctl.server.connections import HEAD_SECONDS, LimitedServer

    server: Any = LimitedServer(
        (host, port), with_bounded_chunks(app), head_seconds or HEAD_SECONDS
    )
    # By default, cheroot prints a traceback for every client that closes its connection early.
    server.error_log = _log_error
    return server


def _probe(host: str, port: int) -> None:
    """Bind the address once: cheroot hides the reason of a failure and leaks the socket."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    socket.create_server((host, port), family=family).close()


def _log_error(message: str = "", level: int = logging.ERROR, traceback: bool = False) -> None:  # noqa: FBT001, FBT002 cheroot's signature
    _log.log(level, "%s", message.rstrip(), exc_info=traceback)


def _bind_error(host: str, port: int, error: OSError) -> ConnectionFailedError:
    # The system's text repeats the address in parentheses.
    reason = (error.strerror or str(error)).partition(" (while")[0]
    return ConnectionFailedError(
        f"cannot listen on {host}:{port}: {reason}",
        hint="use any free port: ghcrctl serve --addr 127.0.0.1:0",
    )
