"""Engines that build and run images: docker and buildah."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.peers import do_without, require_peer, run_peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GREETING = "hello from a container"
_START_SECONDS = 40.0
_DOCKERFILE = f"""\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "echo {GREETING} > /greeting"]
ENV COLOUR=green
LABEL org.opencontainers.image.source=https://github.com/octo/image
CMD ["/bin/busybox", "cat", "/greeting"]
"""


class Docker:
    """A docker engine and its client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            "DOCKER_HOST": f"unix://{folder}/sock",
            "DOCKER_BUILDKIT": "0",
            "HOME": str(folder),
        }

    def run(self, *arguments: str) -> str:
        """Run a docker command, which must succeed, and return its output."""
        return run_peer("docker", *arguments, environ=self.environ)

    def start(self) -> subprocess.Popen[bytes]:
        """Start the engine and wait until it responds."""
        program = require_peer("dockerd")
        if os.geteuid() != 0:
            do_without("dockerd needs root: run the tests as root")
        log = (self.folder / "log").open("wb")
        with log:
            process = subprocess.Popen(
                [
                    program,
                    *("--iptables=false", "--ip6tables=false", "--bridge=none"),
                    *("--storage-driver=vfs", f"--host=unix://{self.folder}/sock"),
                    *(f"--data-root={self.folder}/data", f"--exec-root={self.folder}/exec"),
                    f"--pidfile={self.folder}/pid",
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _START_SECONDS
        client = [require_peer("docker"), "version"]
        while subprocess.run(
            client, env={**os.environ, **self.environ}, capture_output=True, check=False
        ).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                pytest.fail(f"dockerd did not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.2)
        return process

    def clear(self) -> None:
        """Unmount what the engine leaves mounted after a container with host networking."""
        for path in (self.folder / "exec" / "netns").glob("*"):
            subprocess.run(["umount", "--lazy", str(path)], capture_output=True, check=False)


class Buildah:
    """Buildah with its own storage."""

    def __init__(self, folder: Path) -> None:
        self._options = ("--root", f"{folder}/root", "--runroot", f"{folder}/run")
        require_peer("buildah")

    def run(self, *arguments: str) -> str:
        """Run a buildah command, which must succeed, and return its output."""
        return run_peer("buildah", *self._options, "--storage-driver", "vfs", *arguments)

    def build(self, context: Path, name: str, format_: str) -> None:
        """Build the Dockerfile of a context."""
        self.run(
            *("build", "--isolation", "chroot", "--network", "host"),
            *("--format", format_, "-t", name, str(context)),
        )


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """A running docker engine."""
    # The path of a socket can have at most 108 bytes.
    engine = Docker(tmp_path_factory.mktemp("dk"))
    process = engine.start()
    try:
        yield engine
    finally:
        process.terminate()
        process.wait(timeout=30)
        engine.clear()


@pytest.fixture
def buildah(tmp_path: Path) -> Buildah:
    """Buildah with empty storage."""
    return Buildah(tmp_path / "buildah")


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A build context of an image that prints a greeting."""
    folder = tmp_path / "context"
    folder.mkdir()
    shutil.copy(require_peer("busybox"), folder / "busybox")
    (folder / "Dockerfile").write_text(_DOCKERFILE)
    return folder
