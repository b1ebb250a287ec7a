"""Run ghcrctl in forks of a process that has imported it.

A new process spends most of its CPU time on imports. Each test worker starts this module once and
then sends it one request per command. The fork has its own environment, working directory and
standard streams, and exits like any other process.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# The interpreter only reads these when it starts.
_STARTUP_VARIABLES = ("PYTHON", "LC_", "LANG")
# A larger request may not fit into one datagram.
_LONGEST_REQUEST = 60_000
_TIMEOUT_SECONDS = 60


def can_fork(environ: Mapping[str, str]) -> bool:
    """Return whether a fork behaves like a new process with this environment."""
    return sys.platform == "linux" and not any(n.startswith(_STARTUP_VARIABLES) for n in environ)


def run_forked(
    arguments: Sequence[str], *, environ: Mapping[str, str], cwd: Path, stdin: str = ""
) -> subprocess.CompletedProcess[str] | None:
    """Run ghcrctl in a fork; return ``None`` if the request is too large for it.

    Raises:
        subprocess.TimeoutExpired: the command ran for more than a minute.
    """
    request = {"arguments": list(arguments), "environ": dict(environ), "cwd": str(cwd)}
    data = json.dumps(request).encode()
    if len(data) > _LONGEST_REQUEST:
        return None
    with contextlib.ExitStack() as stack:
        ends = [stack.enter_context(_pipe()) for _ in range(4)]
        (child_in, our_in), (our_out, child_out), (our_err, child_err), (status, report) = ends
        theirs = [end.detach() for end in (child_in, child_out, child_err, report)]
        try:
            socket.send_fds(_server(), [data], theirs)
        finally:
            for handle in theirs:
                os.close(handle)
        writer = threading.Thread(target=_write, args=(our_in, stdin.encode()))
        texts: dict[int, bytes] = {}
        readers = [
            threading.Thread(target=_read, args=(end, texts, number))
            for number, end in enumerate((our_out, our_err))
        ]
        for thread in (writer, *readers):
            thread.start()
        code = _wait(status, arguments)
        for thread in (writer, *readers):
            thread.join()
    out, err = (_text(texts[number]) for number in range(2))
    return subprocess.CompletedProcess(list(arguments), code, out, err)


class _End:
    """One end of a pipe, closed at most once."""

    def __init__(self, handle: int) -> None:
        self._handle: int | None = handle

    def detach(self) -> int:
        assert self._handle is not None
        handle, self._handle = self._handle, None
        return handle

    def close(self) -> None:
        if self._handle is not None:
            os.close(self.detach())


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[_End, _End]]:
    ends = tuple(_End(handle) for handle in os.pipe())
    try:
        yield ends[0], ends[1]
    finally:
        for end in ends:
            end.close()


def _write(end: _End, data: bytes) -> None:
    # The command need not read its input.
    with contextlib.suppress(BrokenPipeError), os.fdopen(end.detach(), "wb") as file:
        file.write(data)


def _read(end: _End, texts: dict[int, bytes], number: int) -> None:
    with os.fdopen(end.detach(), "rb") as file:
        texts[number] = file.read()


def _text(data: bytes) -> str:
    """Decode output like ``subprocess`` with ``text=True``."""
    return data.decode().replace("\r\n", "\n").replace("\r", "\n")


def _wait(status: _End, arguments: Sequence[str]) -> int:
    """Return the exit code that the parent of the command reports."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    with os.fdopen(status.detach(), "rb") as file:
        pid = int(file.readline())
        timer = threading.Timer(deadline - time.monotonic(), os.kill, (pid, signal.SIGKILL))
        timer.start()
        code = int(file.readline())
        is_late = not timer.is_alive()
        timer.cancel()
    if is_late:
        raise subprocess.TimeoutExpired(list(arguments), _TIMEOUT_SECONDS)
    return code


@cache
def _server() -> socket.socket:
    """Start the server of this test worker; return the socket for requests."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environ = {n: v for n, v in os.environ.items() if not n.startswith(_STARTUP_VARIABLES)}
    # Pipes, since the streams of a fork keep the interpreter's cached properties.
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())],
        env=environ,
        cwd=Path(__file__).parents[1],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    theirs.close()
    atexit.register(_stop, server, ours)
    return ours


def _stop(server: subprocess.Popen[bytes], requests: socket.socket) -> None:
    requests.close()
    server.communicate()


def _import_everything() -> None:
    import ghcrctl

    for module in pkgutil.walk_packages(ghcrctl.__path__, "ghcrctl."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("requests", "truststore", "urllib3.contrib.socks"):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _serve(handle: int) -> None:
    _import_everything()
    # The kernel reaps the processes that wait for commands.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    requests = socket.socket(fileno=handle)
    while True:
        data, handles, _, _ = socket.recv_fds(requests, _LONGEST_REQUEST + 1, 4)
        if not data:
            return
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            command = os.fork()
            if command == 0:
                _become(json.loads(data), handles)
            _report(command, handles)
        for each in handles:
            os.close(each)


def _report(command: int, handles: Sequence[int]) -> NoReturn:
    """Write the process ID of a command, then its exit code."""
    for handle in handles[:3]:
        os.close(handle)
    os.write(handles[3], b"%d\n" % command)
    _, status = os.waitpid(command, 0)
    os.write(handles[3], b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(request: dict[str, Any], handles: Sequence[int]) -> NoReturn:
    """Turn this process into ``python -m ghcrctl``."""
    for number, handle in enumerate(handles[:3]):
        os.dup2(handle, number)
    os.closerange(3, 256)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    sys.argv = ["ghcrctl", *request["arguments"]]
    runpy.run_module("ghcrctl", run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
