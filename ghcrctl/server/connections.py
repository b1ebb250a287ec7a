"""cheroot's connections with limits: on request heads, on waiting, and on threads.

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

if TYPE_CHECKING:
    from collections.abc import Callable

# Bytes of a request line and of one header line, number of header lines, bytes of them all.
MAX_LINE = 8 * 1024
MAX_HEADERS = 100
MAX_HEAD = 64 * 1024
HEAD_SECONDS = 20.0
# Seconds without a byte of a body, in either direction.
STALL_SECONDS = 60
MIN_THREADS = 16
# A slow client holds a thread, so allow more threads than slow clients to be expected.
MAX_THREADS = 512
MAX_WAITING = 256
# Seconds that requests have to finish when the server stops.
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
    """Reads headers strictly.

    Attack: a proxy in front of this server and this server disagree on where a request ends, so
    that the rest of one client's body becomes another client's request. Decision: refuse whatever
    can be understood in two ways. Exception: none; no client of registries sends such requests.
    """

    def __call__(self, rfile: Any, headers: dict[bytes, bytes]) -> dict[bytes, bytes]:
        """Read headers into a dictionary, up to the empty line.

        Raises:
            ValueError: a header is malformed, too long or repeated, or lengths contradict.
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
            raise ValueError("a header has no end")
        if len(line) > MAX_LINE:
            raise ValueError(f"a header is longer than {MAX_LINE} bytes")
        name, colon, value = line.partition(b":")
        if not colon or not _NAME.match(name):
            raise ValueError("malformed header")
        if b"_" in name:
            # Under WSGI such a name cannot be told from one with a hyphen.
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
        raise ValueError("Content-Length and Transfer-Encoding contradict each other")
    if length is not None and not _LENGTH.match(length):
        raise ValueError("malformed Content-Length")
    if coding is not None and coding.lower() != b"chunked":
        raise ValueError("unsupported Transfer-Encoding")


class Request(http.HTTPRequest):  # type: ignore[misc, unused-ignore]
    """A request whose head is bounded in size and time."""

    header_reader = HeaderReader()

    def parse_request(self) -> None:
        """Read the head; the server closes the connection if that takes too long."""
        with self.server.heads.limited(self.conn.socket):
            super().parse_request()

    def read_request_line(self) -> bool:
        """Read the first line."""
        if not super().read_request_line():  # type: ignore[no-untyped-call, unused-ignore]
            return False
        if len(self.uri) > MAX_LINE:
            self.simple_response("414 URI Too Long", f"more than {MAX_LINE} bytes")
            return False
        return True

    def read_request_headers(self) -> bool:
        """Read the headers; HTTP/1.0 has no chunks."""
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
        """Send the response's head; what is left of the body is not read if that says so."""
        if (b"Connection", b"close") in self.outheaders:
            self.close_connection = True
        super().send_headers()


class Connection(http.HTTPConnection):  # type: ignore[misc, unused-ignore]
    """A connection that discards unsent bytes when it closes.

    cheroot leaves that to the garbage collector, and there Python 3.13 prints a traceback.
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

    cheroot's timeout starts again with every byte, so that one byte a minute holds a thread for
    ever.

    Args:
        seconds: for one head.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: dict[socket.socket, float] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def limited(self, connection: socket.socket) -> Any:
        """End a connection unless this ends in time."""
        with self._lock:
            self._ends[connection] = time.monotonic() + self._seconds
        try:
            yield
        finally:
            with self._lock:
                self._ends.pop(connection, None)

    def end_late(self) -> None:
        """End the connections whose time is up."""
        now = time.monotonic()
        with self._lock:
            late = [connection for connection, end in self._ends.items() if end < now]
        for connection in late:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class LimitedServer(wsgi.Server):  # type: ignore[misc, unused-ignore]
    """A WSGI server that makes threads as slow clients need them.

    Args:
        address: host and port.
        app: the application.
        head_seconds: for one request head.
    """

    ConnectionClass = Connection
    max_request_header_size = MAX_HEAD
    # Seconds until an idle server notices a stop.
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

    def process_conn(self, conn: Connection) -> None:
        """Hand a connection to a thread; refuse it where too many wait for one."""
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
        """Start threads and end late connections, so that accepting never blocks."""
        while self.ready:
            self.heads.end_late()
            # Without more threads, connections wait for one.
            with contextlib.suppress(RuntimeError):
                self.requests.grow(max(0, self._waiting - self.requests.idle))
            self._wake.wait(self.expiration_interval)
            self._wake.clear()
