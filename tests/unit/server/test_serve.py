from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import ConnectionFailedError, UnsupportedError
from ghcrctl.server.app import RegistryApp
from ghcrctl.server.memory import MemoryBackend
from ghcrctl.server.serve import Server

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def app(tmp_path: Path) -> RegistryApp:
    return RegistryApp(MemoryBackend(), upload_dir=tmp_path)


def test_a_port_that_is_taken_is_an_error_with_a_hint(app: RegistryApp) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConnectionFailedError, match=f"127.0.0.1:{port}") as caught:
            Server(app, port=port)
    assert caught.value.hint
    assert "--addr" in caught.value.hint


def test_a_missing_cheroot_names_the_extra(
    app: RegistryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cheroot", None)
    with pytest.raises(UnsupportedError) as caught:
        Server(app)
    assert caught.value.hint == "pip install 'ghcrctl[serve]'"


def test_a_stopped_server_gives_its_port_back(app: RegistryApp) -> None:
    with Server(app) as first:
        port = first.port
    with Server(app, port=port) as second:
        assert second.url == f"http://127.0.0.1:{port}"
