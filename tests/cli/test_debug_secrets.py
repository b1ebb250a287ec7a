"""Secrets in URLs are hidden in `--debug` output, errors and the history of imports."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.registry_double import Fault
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry_double import PlainRegistry

SECRET = "hunter2"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _serving(body: bytes) -> Iterator[str]:
    """Serve the same bytes at every path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _debug(shell: Shell, *arguments: str) -> str:
    done = shell.run("--debug", *arguments)
    assert "Traceback" in done.stderr, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("status", [307, 200])
def test_a_storage_address_is_shown_without_its_signature(
    shell: Shell, plain_registry: PlainRegistry, archive: str, status: int
) -> None:
    name = f"{plain_registry.host}/octo/image:1"
    shell.ok("import", archive, name)
    shell.ok("push", "-q", name)
    shell.ok("rmi", "-f", name)
    shell.ok("prune", "-f")
    location = f"http://user:{SECRET}@127.0.0.1:{_closed_port()}/x?X-Amz-Signature={SECRET}"
    headers = {"Location": location}
    plain_registry.faults.append(
        Fault(path_contains="/blobs/", times=9, status=status, headers=headers)
    )
    said = _debug(shell, "pull", name) if status == 307 else shell.run("pull", name).stderr
    assert SECRET not in said


@pytest.mark.parametrize(
    "realm",
    [
        "http://127.0.0.1:{port}/token?key=hunter2",
        "http://me:hunter2@127.0.0.1:{port}/token",
        "http://127.0.0.1:{port}/token?a=http://me:hunter2@host/",
        "http://[hunter2@127.0.0.1/?key=hunter2",
    ],
)
def test_a_realm_is_shown_without_its_secrets(
    shell: Shell, plain_registry: PlainRegistry, realm: str
) -> None:
    challenge = f'Bearer realm="{realm.format(port=_closed_port())}",service="x"'
    plain_registry.faults.append(
        Fault(path_contains="/v2/", times=20, status=401, headers={"WWW-Authenticate": challenge})
    )
    assert SECRET not in _debug(shell, "digest", f"{plain_registry.host}/octo/image:1")


@pytest.mark.parametrize(
    "proxy",
    [
        "http://me:hunter2@127.0.0.1:{port}",
        "http://me:hun/ter2-hunter2@127.0.0.1:{port}",
        "http://me:hunter2@[::1",
        "ftp://me:hunter2@127.0.0.1:{port}",
        "me:hunter2@127.0.0.1:{port}",
    ],
)
def test_a_proxy_is_shown_without_its_password(shell: Shell, proxy: str) -> None:
    address = proxy.format(port=_closed_port())
    shell.environ |= {"http_proxy": address, "https_proxy": address}
    assert SECRET not in _debug(shell, "digest", "registry.example/octo/image:1")


@pytest.mark.parametrize("options", [(), ("--format", "json")])
def test_an_import_shows_and_records_no_secret(shell: Shell, options: tuple[str, ...]) -> None:
    with _serving(b"no archive") as host:
        address = f"http://me:{SECRET}@{host}/rootfs.tar?token={SECRET}"
        done = shell.run("--debug", "import", address, "hello", *options)
        assert done.returncode == 6
        assert SECRET not in done.stdout + done.stderr
        assert f"http://{host}/rootfs.tar" in done.stderr
    refused = f"http://me:{SECRET}@127.0.0.1:{_closed_port()}/rootfs.tar?token={SECRET}"
    assert SECRET not in _debug(shell, "import", refused, "hello")


def test_the_history_of_an_import_has_no_secret(shell: Shell, archive: str) -> None:
    with _serving(Path(archive).read_bytes()) as host:
        address = f"http://me:{SECRET}@{host}/rootfs.tar?token={SECRET}#x"
        shell.ok("import", address, "hello")
    (line,) = shell.ok("history", "--format", "{{json .}}", "hello")
    assert json.loads(line)["Comment"] == f"Imported from http://{host}/rootfs.tar"
    store = shell.folder / "store"
    files = [path for path in store.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    "arguments",
    [
        ("login", f"https://me:{SECRET}@host"),
        ("pull", f"https://me:{SECRET}@host/octo/image"),
        ("push", f"https://me:{SECRET}@host/octo/image"),
        ("copy", f"https://me:{SECRET}@host/a", "b"),
    ],
)
def test_no_error_repeats_a_password(shell: Shell, arguments: tuple[str, ...]) -> None:
    done = shell.run("--debug", *arguments)
    assert done.returncode not in {0, 1}
    assert SECRET not in done.stdout + done.stderr


def test_the_github_api_is_shown_without_its_query(shell: Shell) -> None:
    shell.environ |= {
        "GHCRCTL_GITHUB_API": f"http://127.0.0.1:{_closed_port()}/api?key={SECRET}",
        "GH_TOKEN": f"ghp_{SECRET}",
    }
    done = shell.run("--debug", "packages", "list", "octo")
    assert done.returncode not in {0, 1}
    assert SECRET not in done.stdout + done.stderr
