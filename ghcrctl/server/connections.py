"""A cheroot server with limits on request heads, idle time and threads.

Spec: RFC 9112, sections 3, 5 and 6; RFC 9110, section 5.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from cheroot import server as http
from cheroot import wsgi
from cheroot.workers.threadpool import _SHUTDOWNREQUEST  # type: ignore[attr-defined]

if TYPE_CHECKING:
    from collections.abc import Callable

# Limit of the request line and of each header line, in bytes.
MAX_LINE = 8 * 1024
MAX_HEADERS = 100
# Limit of all headers together, in bytes.
MAX_HEAD = 64 * 1024
HEAD_SECONDS = 20.0
# A connection is closed after this long without a byte of a body, in either direction.
STALL_SECONDS = 60
MIN_THREADS = 16
# A slow client occupies a thread, so the limit is well above the expected number of slow clients.
MAX_THREADS = 512
MAX_WAITING = 256
# Running requests may take this long to finish when the server stops.
_GRACE_SECONDS = 2

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_LENGTH = re.compile(rb"[0-9]{1,18}\Z")
_ONCE = frozenset(
    (
        b"Authorization",
        b"Content-Length",
        b"Content-Range",
        b"Content-Type",
        b"Host",
        b"Origin",
        b"Range",
        b"Transfer-Encoding",
    )
)


class HeaderReader:
    """A strict header parser.

    Attack: this server and a proxy in front of it disagree on where a request ends, so the rest of
        one client's body becomes another client's request. Decision: reject every ambiguous
    request. Exception: none; no registry client sends such requests.
    """

    def __call__(self, rfile: Any, headers: dict[bytes, bytes]) -> dict[bytes, bytes]:
        """Read headers into a dictionary until an empty line.

        Raises:
            ValueError: a header is malformed, too long or repeated, or the lengths conflict.
        """
        for _ in range(MAX_HEADERS + 1):
            line = rfile.readline()
            if line == b"\r\n":
                _check_lengths(headers)
                return headers
            self._add(line, headers)
        raise ValueError(f"more than {MAX_HEADERS} headers")

    def _add(self, line: bytes, headers: dict[bytes, bytes]) -> None:
        if not line.endswith(b"\r\n"):
            raise ValueError("header without CRLF")
        if len(line) > MAX_LINE:
            raise ValueError(f"header longer than {MAX_LINE} bytes")
        name, colon, value = line.partition(b":")
        if not colon or not _NAME.match(name):
            raise ValueError("malformed header")
        if b"_" in name:
            # In a WSGI environment, this name is the same as one with hyphens.
            return
        key, value = name.title(), value.strip(b" \t\r\n")
        if any(byte < 32 and byte != 9 for byte in value):
            raise ValueError("control character in a header")
        if key in headers:
            if key in _ONCE:
                raise ValueError(f"repeated header {key.decode()}")
            value = b", ".join((headers[key], value))
        headers[key] = value


def _check_lengths(headers: dict[bytes, bytes]) -> None:
    length, coding = headers.get(b"Content-Length"), headers.get(b"Transfer-Encoding")
    if length is not None and coding is not None:
        raise ValueError("both Content-Length and Transfer-Encoding are set")
    if length is not None and not _LENGTH.match(length):
        raise ValueError("malformed Content-Length")
    if coding is not None and coding.lower() != b"chunked":
        raise ValueError("unsupported Transfer-Encoding")


class Request(http.HTTPRequest):  # type: ignore[misc, unused-ignore]
    """A request whose head is limited in size and time."""

    header_reader = HeaderReader()

    def parse_request(self) -> None:
        """Read the head; the server closes the connection if it takes too long."""
        with self.server.heads.limited(self.conn.socket):
            super().parse_request()

    def read_request_line(self) -> bool:
        """Read the request line and check its length."""
        if not super().read_request_line():  # type: ignore[no-untyped-call, unused-ignore]
            return False
        if len(self.uri) > MAX_LINE:
            self.simple_response("414 URI Too Long", f"more than {MAX_LINE} bytes")
            return False
        return True

    def read_request_headers(self) -> bool:
        """Read the headers and check what the HTTP version requires of them."""
        if not super().read_request_headers():  # type: ignore[no-untyped-call, unused-ignore]
            return False
        if self.response_protocol != "HTTP/1.1" and b"Transfer-Encoding" in self.inheaders:
            self.simple_response("400 Bad Request", "Transfer-Encoding needs HTTP/1.1")
            return False
        if self.response_protocol == "HTTP/1.1" and b"Host" not in self.inheaders:
            self.simple_response("400 Bad Request", "HTTP/1.1 needs a Host header")
            return False
        return True

    def send_headers(self) -> None:
        """Send the response head, and close the connection afterwards if the head says so."""
        if (b"Connection", b"close") in self.outheaders:
            self.close_connection = True
        super().send_headers()


class Connection(http.HTTPConnection):  # type: ignore[misc, unused-ignore]
    """A connection that discards unsent bytes when it closes.

    cheroot leaves this to the garbage collector, where Python 3.13 prints a traceback.
    """

    RequestHandlerClass = Request
    waits = False

    def communicate(self) -> bool:
        """Read a request and respond; return whether the connection stays open."""
        self.server.taken(self)
        return bool(super().communicate())  # type: ignore[no-untyped-call, unused-ignore]

    def close(self) -> None:
        """Close the connection."""
        self.server.taken(self)
        super().close()
        with contextlib.suppress(OSError):
            self.wfile.close()


class Heads:
    """The connections whose request heads are being read.

    cheroot's timeout restarts with every byte, so a client that sends one byte a minute would
    occupy a thread forever.

    Args:
        seconds: time limit for one head (seconds).
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: dict[socket.socket, float] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def limited(self, connection: socket.socket) -> Any:
        """Shut down a connection unless the block ends in time."""
        with self._lock:
            self._ends[connection] = time.monotonic() + self._seconds
        try:
            yield
        finally:
            with self._lock:
                self._ends.pop(connection, None)

    def end_late(self) -> None:
        """Shut down the connections that have timed out."""
        now = time.monotonic()
        with self._lock:
            late = [connection for connection, end in self._ends.items() if end < now]
        for connection in late:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class LimitedServer(wsgi.Server):  # type: ignore[misc, unused-ignore]
    """A WSGI server that starts more threads when slow clients occupy them.

    Args:
        address: host and port to listen on.
        app: the WSGI application.
        head_seconds: time limit for one request head (seconds).
    """

    ConnectionClass = Connection
    max_request_header_size = MAX_HEAD
    # An idle server notices `stop` after this long, in seconds.
    expiration_interval = 0.1

    def __init__(
        self, address: tuple[str, int], app: Callable[..., Any], head_seconds: float = HEAD_SECONDS
    ) -> None:
        super().__init__(
            address,
            app,
            numthreads=MIN_THREADS,
            max=MAX_THREADS,
            server_name="ghcrctl",
            request_queue_size=128,
            timeout=STALL_SECONDS,
            shutdown_timeout=_GRACE_SECONDS,
        )
        self.heads = Heads(head_seconds)
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._waiting = 0

    def serve(self) -> None:
        """Serve until `stop` is called."""
        watch = threading.Thread(target=self._watch, name="ghcrctl-watch", daemon=True)
        watch.start()
        super().serve()

    def stop(self) -> None:
        """Stop serving.

        cheroot sends one shutdown request per registered thread. A thread that is just being
        started is not registered, but takes the request of another thread, which would then never
        end. So there are enough requests for all.
        """
        for _ in range(MAX_THREADS):
            self.requests.put(_SHUTDOWNREQUEST)
        super().stop()

    def process_conn(self, conn: Connection) -> None:
        """Queue a connection for a thread, or respond with 503 if the queue is full."""
        with self._guard:
            is_full = self._waiting >= MAX_WAITING
            if not is_full:
                self._waiting += 1
                conn.waits = True
        if is_full:
            Request(self, conn).simple_response("503 Service Unavailable")
            conn.close()
            return
        super().process_conn(conn)
        self._wake.set()

    def taken(self, conn: Connection) -> None:
        """Record that a connection no longer waits for a thread."""
        with self._guard:
            self._waiting -= conn.waits
            conn.waits = False

    def _watch(self) -> None:
        """Start threads and shut down late connections so that accepting never blocks."""
        while self.ready:
            self.heads.end_late()
            # If no thread can be started, connections wait in the queue.
            with contextlib.suppress(RuntimeError):
                self.requests.grow(max(0, self._waiting - self.requests.idle))
            self._wake.wait(self.expiration_interval)
            self._wake.clear()
