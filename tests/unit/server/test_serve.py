from __future__ import annotations

import gc
import socket
import struct
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import ConnectionFailedError, UnsupportedError
from ghcrctl.server.app import RegistryApp
from ghcrctl.server.memory_backend import MemoryBackend
from ghcrctl.server.serve import Server, check_libraries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def app(tmp_path: Path) -> RegistryApp:
    return RegistryApp(MemoryBackend(), upload_dir=tmp_path)


def test_port_in_use_is_an_error_with_a_hint(app: RegistryApp) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConnectionFailedError, match=f"127.0.0.1:{port}") as caught:
            Server(app, port=port)
    assert caught.value.hint
    assert "--addr" in caught.value.hint


@pytest.mark.parametrize("library", ["cheroot", "werkzeug"])
def test_missing_library_error_names_the_extra(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UnsupportedError, match=library) as caught:
        check_libraries()
    assert caught.value.hint == "pip install 'ghcrctl[serve]'"


def test_stopped_server_releases_its_port(app: RegistryApp) -> None:
    with Server(app) as first:
        port = first.port
    with Server(app, port=port) as second:
        assert second.url == f"http://127.0.0.1:{port}"


def test_stop_ends_threads_that_are_just_being_started(app: RegistryApp) -> None:
    server = Server(app)
    server.start()
    pool = server._server.requests
    starting = [pool._spawn_worker() for _ in range(3)]
    threads = [*pool._threads, *starting]
    stop = threading.Thread(target=server.stop, daemon=True)
    stop.start()
    for thread in (stop, *threads):
        thread.join(20)
        assert not thread.is_alive()


def test_client_that_disconnects_causes_no_unraisable_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda error: errors.append(repr(error)))

    def endless(environ: object, start_response: Callable[..., object]) -> Iterator[bytes]:
        del environ
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        while True:
            yield bytes(1024 * 1024)

    with Server(endless) as server:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
                assert client.recv(12) == b"HTTP/1.1 200"
                reset = struct.pack("ii", 1, 0)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        time.sleep(0.3)
        gc.collect()
    gc.collect()
    assert errors == []
