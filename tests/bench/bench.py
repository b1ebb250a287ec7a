"""What a row of the table needs: folders, a registry, clients."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.content import TAG, make_layout
from tests.bench.measure import CommandError, Run, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PACKAGES = {"docker-registry": "docker-registry", "skopeo": "skopeo"}


class MissingRivalError(Exception):
    """A program that a row needs is not on this machine."""


class Bench:
    """The surroundings of all rows.

    Args:
        folder: where everything goes.
        megabytes: how large the large image is.
    """

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self.megabytes = megabytes
        self._numbers = count()
        self._closing = ExitStack()
        self._logs: list[Path] = []
        self.environ = {
            "HOME": str(folder / "home"),
            "PATH": os.environ["PATH"],
            "GHCRCTL_KEYRING": "0",
            "GHCRCTL_PLATFORM": "linux/amd64",
        }
        (folder / "home").mkdir()

    def close(self) -> None:
        """Stop what runs."""
        self._closing.close()

    def fresh(self, name: str) -> Path:
        """Return a path that nothing has yet."""
        return self.folder / f"{name}-{next(self._numbers)}"

    def rival(self, name: str) -> str:
        """Return the path of a program.

        Raises:
            MissingRivalError: it is not here.
        """
        found = shutil.which(name)
        if not found:
            raise MissingRivalError(
                f"{name} is missing: apt-get install {_PACKAGES.get(name, name)}"
            )
        return found

    def run(self, command: Sequence[str]) -> Run:
        """Run a command and measure it; count what it asks the registries that run."""
        before = self._asked()
        done = run(command, self.environ, self.folder / "log")
        return replace(done, requests=self._asked() - before) if self._logs else done

    def _asked(self) -> int:
        """Count the requests in the registries' logs."""
        return sum(log.read_bytes().count(b' HTTP/1.1" ') for log in self._logs)

    def ghcrctl(self, store: Path, *arguments: str) -> Run:
        """Run our command on a store."""
        return self.run([*OURS, "--store", str(store), *arguments])

    @cached_property
    def layout(self) -> Path:
        """An OCI layout with the large image in three layers."""
        return self.make(self.megabytes, 3)

    def make(self, megabytes: int, layers: int) -> Path:
        """Make an OCI layout with an image."""
        return make_layout(self.fresh("layout"), megabytes=megabytes, layers=layers)

    @cached_property
    def registry(self) -> str:
        """Host and port of a registry on loopback."""
        return self._closing.enter_context(self.empty_registry())

    @contextmanager
    def empty_registry(self) -> Iterator[str]:
        """Run a registry that has nothing; yield its host and port."""
        folder = self.fresh("registry")
        folder.mkdir()
        log = folder / "access.log"
        with _registry(self.rival("docker-registry"), folder, log) as host:
            self._logs.append(log)
            yield host
            self._logs.remove(log)
        shutil.rmtree(folder)

    @cached_property
    def published(self) -> str:
        """Repository and tag of the large image on the registry."""
        return self.publish(self.layout)

    def publish(self, layout: Path) -> str:
        """Put a layout's image on the registry; return its repository and tag there."""
        name = f"bench/{layout.name}:{TAG}"
        self.skopeo_copy(f"oci:{layout}:{TAG}", f"docker://{self.registry}/{name}")
        return name

    def line(self, *, rate: int = 0, delay: int = 0) -> str:
        """Put a slow line before the registry; return the host and port to use.

        Args:
            rate: bytes a second of each connection, 0 for no limit.
            delay: milliseconds of a round trip.
        """
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.line", self.registry, str(rate), str(delay)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._closing.callback(process.wait)
        self._closing.callback(process.terminate)
        if process.stdout is None:
            raise CommandError("the line did not start")
        with process.stdout as answer:
            return answer.readline().strip()

    def skopeo_copy(self, source: str, target: str) -> Run:
        """Copy with skopeo, with TLS verification turned off for this machine."""
        plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
        return self.run([self.rival("skopeo"), "copy", "-q", *plain, source, target])

    def has(self, name: str) -> bool:
        """Return whether an optional competitor is installed."""
        return shutil.which(name) is not None

    @cached_property
    def docker(self) -> tuple[str, ...]:
        """Docker's client, with an engine of its own; nothing where there is none, or no root."""
        if os.geteuid() != 0 or not (self.has("dockerd") and self.has("docker")):
            return ()
        folder = Path(tempfile.mkdtemp(prefix="dk"))
        self._closing.callback(shutil.rmtree, folder, ignore_errors=True)
        client = ("docker", "--host", f"unix://{folder}/sock")
        with (folder / "log").open("wb") as log:
            engine = subprocess.Popen(
                [
                    self.rival("dockerd"),
                    *("--iptables=false", "--ip6tables=false", "--bridge=none"),
                    *(f"--host=unix://{folder}/sock", f"--data-root={folder}/data"),
                    *(f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"),
                ],
                stdout=log,
                stderr=log,
            )
        self._closing.callback(engine.wait)
        self._closing.callback(engine.terminate)
        for _ in range(200):
            if (
                subprocess.run([*client, "version"], capture_output=True, check=False).returncode
                == 0
            ):
                return client
            time.sleep(0.2)
        raise CommandError(f"dockerd did not start: {(folder / 'log').read_text()[-2000:]}")

    def run_docker(self, *arguments: str) -> Run:
        """Run docker's client and measure it; its memory is the engine's, which is not seen."""
        return replace(self.run([*self.docker, *arguments]), peak=0)


OURS = (sys.executable, "-m", "ghcrctl")


@contextmanager
def _registry(program: str, folder: Path, log: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    config = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": host, "secret": "bench"},
    }
    path = folder / "registry.yml"
    # JSON is YAML.
    path.write_text(json.dumps(config))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "serve", str(path)], stdout=output, stderr=subprocess.DEVNULL
        )
    try:
        _wait(process, host)
        yield host
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait(process: subprocess.Popen[bytes], host: str) -> None:
    address, _, port = host.partition(":")
    for _ in range(200):
        if process.poll() is not None:
            break
        try:
            socket.create_connection((address, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise CommandError("docker-registry did not start")
