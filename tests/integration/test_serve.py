"""Other tools push to and pull from `ghcrctl serve`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests

from tests.integration.engines import GREETING, buildah, context, docker
from tests.integration.peers import run_peer
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.engines import Buildah, Docker

__all__ = ["buildah", "context", "docker"]
pytestmark = pytest.mark.integration


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


@contextmanager
def serving(shell: Shell, *options: str, number: int = signal.SIGTERM) -> Iterator[str]:
    """Serve the store of a shell; yield host and port; stop the server with a signal."""
    with subprocess.Popen(
        [sys.executable, "-m", "ghcrctl", "serve", "--addr", "127.0.0.1:0", *options],
        env=shell.environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r"http://(\S+)", line)
            assert found, line
            yield found[1]
        finally:
            process.send_signal(number)


@pytest.fixture
def served(shell: Shell) -> Iterator[str]:
    with serving(shell) as host:
        yield host


def test_docker_push_and_pull(shell: Shell, served: str, docker: Docker, context: Path) -> None:
    name = f"{served}/octo/built:1"
    docker.run("build", "-q", "--network", "none", "-t", name, str(context))
    image_id = docker.run("inspect", "-f", "{{.Id}}", name).strip()
    docker.run("push", name)
    assert shell.ok("images", "-q", "--no-trunc") == [image_id]
    assert shell.ok("inspect", "-f", "{{.Id}}", "octo/built:1") == [image_id]
    docker.run("rmi", "-f", image_id)
    docker.run("pull", name)
    assert docker.run("run", "--rm", "--network", "none", name).strip() == GREETING
    docker.run("rmi", "-f", image_id)


@pytest.mark.parametrize("format_", ["oci", "v2s2"])
def test_skopeo_and_buildah_push_and_pull(
    shell: Shell, served: str, buildah: Buildah, context: Path, tmp_path: Path, format_: str
) -> None:
    buildah.build(context, "built", "oci")
    name = f"{served}/octo/built:1"
    buildah.run("push", "--tls-verify=false", "--format", format_, "built", f"docker://{name}")
    raw = run_peer("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}")
    back = tmp_path / "back"
    run_peer("skopeo", "copy", "--src-tls-verify=false", f"docker://{name}", f"dir:{back}")
    assert (back / "manifest.json").read_text() == raw
    copy = f"{served}/octo/copy:2"
    both = ("--src-tls-verify=false", "--dest-tls-verify=false")
    run_peer("skopeo", "copy", *both, f"docker://{name}", f"docker://{copy}")
    names = shell.ok("images", "--format", "{{.Repository}}:{{.Tag}}")
    assert sorted(names) == ["octo/built:1", "octo/copy:2"]
    run_peer("skopeo", "delete", "--tls-verify=false", f"docker://{copy}")
    assert shell.ok("images", "--format", "{{.Repository}}") == ["octo/built"]
    assert shell.ok("rmi", "octo/built:1")[0] == "Untagged: octo/built:1"


def test_read_only_server_rejects_pushes(shell: Shell, buildah: Buildah, context: Path) -> None:
    buildah.build(context, "built", "oci")
    with serving(shell, "--read-only") as host, pytest.raises(AssertionError, match="read-only"):
        buildah.run("push", "--tls-verify=false", "built", f"docker://{host}/octo/built:1")
    assert shell.ok("images", "-q") == []


def _upload(host: str) -> None:
    response = requests.post(f"http://{host}/v2/octo/tool/blobs/uploads/", timeout=20)
    place = f"http://{host}{response.headers['Location']}"
    assert requests.patch(place, data=b"half", timeout=20).status_code == 202


def _uploads(shell: Shell) -> list[Path]:
    return list((shell.folder / "store" / "ghcrctl").glob("uploads/*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_server_leaves_no_uploads(shell: Shell, number: int) -> None:
    with serving(shell, number=number) as host:
        _upload(host)
        assert len(_uploads(shell)) == 1
    assert not (shell.folder / "store" / "ghcrctl" / "uploads").exists()


def test_next_server_deletes_uploads_of_a_killed_one(shell: Shell) -> None:
    with serving(shell, number=signal.SIGKILL) as host:
        _upload(host)
    with serving(shell):
        assert _uploads(shell) == []


def test_df_and_prune_include_uploads_of_a_killed_server(shell: Shell) -> None:
    with serving(shell, number=signal.SIGKILL) as host:
        _upload(host)
    assert len(_uploads(shell)) == 1
    assert any("Unfinished" in line and "4B" in line for line in shell.ok("df"))
    assert "4B" in shell.ok("prune", "-f")[-1]
    assert _uploads(shell) == []


def test_server_keeps_uploads_of_another_server(shell: Shell) -> None:
    with serving(shell) as first, serving(shell) as second:
        _upload(first)
        _upload(second)
        assert len(_uploads(shell)) == 2


def test_allow_host_option(shell: Shell) -> None:
    with serving(shell, "--allow-host", "registry.example") as host:
        for name, status in (("registry.example", 200), ("other.example", 403)):
            response = requests.get(f"http://{host}/v2/", headers={"Host": name}, timeout=20)
            assert response.status_code == status
