"""Images for the archive tests, and a store with all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.builders import index_of, random_image
from tests.integration.archives import Made, huge_layer, make_image, rich_layers, write_layout
from tests.integration.peers import require_peer
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.builders import Built
    from tests.integration.engines import Docker

REPOSITORY = "registry.example/octo"
RICH, OTHER, HUGE, BOTH, FOREIGN = (
    f"{REPOSITORY}/{name}:1" for name in ("rich", "other", "huge", "both", "foreign")
)
HUGE_SIZE = 300_000_000


@dataclass(frozen=True, slots=True)
class Stock:
    """Images and their locations.

    Args:
        shell: whose store has them all; to be left as it is.
        layout: an OCI layout that has them all, written without our code.
        rich: an image with odd things in its layers.
        other: one that shares its base with the rich one.
        huge: one with a file of `HUGE_SIZE` zeros.
        both: an index of two platforms.
        foreign: one whose base layer is to be fetched from elsewhere.
    """

    shell: Shell
    layout: Path
    rich: Made
    other: Made
    huge: Made
    both: Built
    foreign: Built


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """A store with all images."""
    folder = tmp_path_factory.mktemp("stock")
    layers = rich_layers(Path(require_peer("busybox")).read_bytes())
    rich, arm = make_image(layers), make_image(layers, architecture="arm64")
    other = make_image([layers[0], huge_layer(10)], label="other")
    huge = make_image([layers[0], huge_layer(HUGE_SIZE)], label="huge")
    both = index_of(rich.built, arm.built)
    foreign = random_image(2, foreign=True)
    built = {RICH: rich.built, OTHER: other.built, HUGE: huge.built, BOTH: both, FOREIGN: foreign}
    layout = write_layout(folder / "layout", built)
    shell = Shell(folder / "home")
    assert shell.ok("load", "-i", str(layout)) == [f"Loaded image: {name}" for name in built]
    return Stock(shell, layout, rich, other, huge, both, foreign)


@pytest.fixture(scope="session")
def saved(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive that ghcrctl saves of the image with all features."""
    path = tmp_path_factory.mktemp("saved") / "rich.tar"
    stock.shell.ok("save", "-o", str(path), RICH)
    return path


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """An empty store."""
    return Shell(tmp_path / "fresh")


@pytest.fixture
def empty_docker(docker: Docker) -> Iterator[Docker]:
    """A docker engine without images, cleaned up after each test."""
    yield docker
    for image_id in set(docker.run("images", "-aq").split()):
        docker.run("rmi", "-f", image_id)


def id_in_docker(docker: Docker, name: str) -> str:
    """Return the ID of an image in docker."""
    return docker.run("inspect", "-f", "{{.Id}}", name).strip()


def on_bytes(shell: Shell, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run ghcrctl, which must succeed, and return its output as bytes."""
    done = subprocess.run(
        command(*arguments),
        env=shell.environ,
        cwd=shell.folder,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def command(*arguments: str) -> list[str]:
    """Return the command line of ghcrctl."""
    return [sys.executable, "-m", "ghcrctl", *arguments]


def piped(commands: Sequence[tuple[list[str], dict[str, str]]]) -> str:
    """Run a pipeline of programs, each of which must succeed; return the output of the last.

    Args:
        commands: programs with their arguments, and their environments.
    """
    running: list[subprocess.Popen[bytes]] = []
    for arguments, environ in commands:
        before = running[-1].stdout if running else subprocess.DEVNULL
        running.append(
            subprocess.Popen(arguments, env=environ, stdin=before, stdout=subprocess.PIPE)
        )
        if running[:-1]:
            # Otherwise, a program would not notice that the next one has ended.
            assert running[-2].stdout is not None
            running[-2].stdout.close()
    printed, _ = running[-1].communicate(timeout=60)
    assert [process.wait(timeout=60) for process in running] == [0] * len(running)
    return printed.decode()


def digest_in_store(shell: Shell, name: str) -> str:
    """Return the digest of a name in the store, which is an OCI layout."""
    index = json.loads((Path(shell.environ["GHCRCTL_STORE"]) / "index.json").read_bytes())
    [digest] = [
        entry["digest"]
        for entry in index["manifests"]
        if entry.get("annotations", {}).get("org.opencontainers.image.ref.name") == name
    ]
    return str(digest)


def id_in_store(shell: Shell, name: str) -> str:
    """Return the ID of an image."""
    [image_id] = shell.ok("images", "-q", "--no-trunc", name)
    return image_id


def raw_in_store(shell: Shell, digest: str) -> bytes:
    """Return the bytes of a manifest or blob."""
    store = Path(shell.environ["GHCRCTL_STORE"])
    return (store / "blobs" / digest.replace(":", "/")).read_bytes()


def tree(shell: Shell, name: str) -> bytes:
    """Return the file tree of an image as a reproducible archive."""
    return on_bytes(shell, "export", name)
