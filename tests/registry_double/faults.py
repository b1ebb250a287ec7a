"""The fault script: which requests fail, how, and how often."""

from __future__ import annotations

import errno
import io
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.registry_double import wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tests.registry_double.wsgi import Answer, Environ


@dataclass(slots=True)
class Fault:
    """One misfortune.

    Args:
        method: which requests; empty for every method.
        path_contains: which requests; a part of the path.
        times: how many requests it befalls.
        status: answer so, and do not ask the registry at all.
        cut_after: bytes of the answer (of the body sent, for POST, PATCH and PUT) before the
            connection breaks.
        delay: seconds before anything happens.
        body: what to send in place of the true body.
        headers: what to add to, or change in, the answer.
        takes: bytes of the chunk sent that the registry takes; it drops the rest.
        after: how many requests of this kind go well before.
        hang_up: end the connection without a word.
        stall_after: bytes of the answer after which the delay comes, rather than before all.
        drip: bytes of the pieces in which the answer comes, with a pause after each.
        no_range: send all, whatever part was asked for.
        host: ``registry`` or ``storage``; empty for both.
    """

    method: str = ""
    path_contains: str = ""
    times: int = 1
    status: int | None = None
    cut_after: int | None = None
    delay: float = 0.0
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    host: str = ""
    takes: int | None = None
    after: int = 0
    hang_up: bool = False
    stall_after: int | None = None
    drip: int = 0
    no_range: bool = False
    befell: int = 0

    def fits(self, method: str, path: str, host: str) -> bool:
        return (
            self.times > 0
            and self.method in {"", method}
            and self.path_contains in path
            and self.host in {"", host}
        )


class FaultScript:
    """Faults in order; the first that matches a request is applied."""

    def __init__(self, faults: list[Fault]) -> None:
        self._faults = faults
        self._lock = threading.Lock()

    def take(self, environ: Environ, host: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if not fault.fits(environ["REQUEST_METHOD"], environ["PATH_INFO"], host):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                fault.befell += 1
                return replace(fault)
        return None


def befall(fault: Fault, environ: Environ, handle: Callable[[Environ], Answer]) -> Answer:
    """Respond to a request according to a fault."""
    if fault.stall_after is None:
        time.sleep(fault.delay)
    if fault.hang_up:
        raise _reset()
    if fault.no_range:
        environ = {**environ, "HTTP_RANGE": ""}
    if fault.takes is not None:
        environ = _shortened(environ, fault.takes)
    if fault.status is not None:
        wsgi.drain(environ)
        answer = wsgi.error(fault.status, "UNKNOWN", "the fault script says so")
    elif fault.cut_after is not None and environ["REQUEST_METHOD"] in {"POST", "PATCH", "PUT"}:
        environ = {**environ, "wsgi.input": _CutInput(environ["wsgi.input"], fault.cut_after)}
        handle(environ).close()
        raise _reset()
    else:
        answer = handle(environ)
    if fault.body is not None:
        answer.close()
        answer.body = [fault.body]
        answer.headers["Content-Length"] = str(len(fault.body))
    answer.headers.update(fault.headers)
    answer.body = _spoilt(answer.body, fault)
    return answer


def _spoilt(body: Iterable[bytes], fault: Fault) -> Iterable[bytes]:
    """Return a body modified by a fault."""
    if fault.cut_after is not None:
        return _cut(body, fault.cut_after)
    if fault.stall_after is not None:
        return _stall(body, fault.stall_after, fault.delay)
    return _drip(body, fault.drip) if fault.drip else body


_PAUSE = 0.02


def _stall(body: Iterable[bytes], after: int, seconds: float) -> Iterator[bytes]:
    """Send some bytes, then nothing for a while."""
    whole = b"".join(body)
    yield whole[:after]
    time.sleep(seconds)
    yield whole[after:]


def _drip(body: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Send a little at a time."""
    whole = b"".join(body)
    for start in range(0, len(whole), size):
        yield whole[start : start + size]
        time.sleep(_PAUSE)


def _shortened(environ: Environ, size: int) -> Environ:
    """Return a request with a truncated body; the rest is read and dropped."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))[:size]
    first = int(str(environ["HTTP_CONTENT_RANGE"]).partition("-")[0])
    return {
        **environ,
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(size),
        "HTTP_CONTENT_RANGE": f"{first}-{first + size - 1}",
    }


class _CutInput:
    """A request body whose client disconnects."""

    def __init__(self, stream: Any, left: int) -> None:
        self._stream = stream
        self._left = left

    def read(self, size: int) -> bytes:
        if not self._left:
            raise _reset()
        data: bytes = self._stream.read(min(size, self._left))
        self._left -= len(data)
        return data


def _cut(body: Iterable[bytes], left: int) -> Iterator[bytes]:
    try:
        for block in body:
            yield block[:left]
            left -= len(block)
            if left <= 0:
                raise _reset()
    finally:
        close = getattr(body, "close", None)
        if close:
            close()


def _reset() -> ConnectionResetError:
    # For this error, cheroot closes the connection silently.
    return ConnectionResetError(errno.ECONNRESET, "cut by the fault script")
