"""A full disk: nothing is lost, and commands that free space work."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.builders import random_image
from tests.integration.peers import do_without, require_peer
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry_double import PlainRegistry

KEPT = random_image(2, 200_000, seed=51)
HUGE = random_image(3, 4_000_000, seed=52)
_MOUNT = 'mount -t tmpfs -o size=8m,mode=0777 tmpfs "$1" && echo ready && exec sleep 600'
_ALONE = (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"])


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 8 MiB in a private namespace of a process."""
    require_peer("unshare")
    folder = tmp_path / "disk"
    folder.mkdir()
    for alone in _ALONE:
        with subprocess.Popen(
            [*alone, "sh", "-c", _MOUNT, "sh", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            assert process.stdout
            if process.stdout.readline() == "ready\n":
                yield Path(f"/proc/{process.pid}/root{folder}")
                process.kill()
                return
    do_without("nothing can be mounted: run as root, or let users have namespaces")


class FullDisk:
    """A store on a small disk, and files that fill it."""

    def __init__(self, shell: Shell, disk: Path, host: str) -> None:
        self.shell = shell
        self.store = disk / "store"
        self.name = f"{host}/octo/kept:1"
        self.huge = f"{host}/octo/huge:1"
        self._ballast = disk / "ballast"
        shell.environ["GHCRCTL_STORE"] = str(self.store)

    def fill(self) -> None:
        """Fill the disk to the last byte."""
        with self._ballast.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        assert shutil.disk_usage(self._ballast).free == 0

    def free(self) -> None:
        self._ballast.unlink()

    def names(self) -> set[str]:
        return set(self.shell.ok("images", "--format", "{{.Repository}}:{{.Tag}}"))

    def refuses(self, *arguments: str) -> None:
        """Check that a command fails because the disk is full."""
        told = self.shell.fails(8, *arguments)
        assert "No space left on device" in told
        assert "hint: " in told

    def is_well(self, *names: str) -> None:
        """Check that exactly these images exist and are intact."""
        assert self.names() == set(names)
        assert self.shell.ok("fsck")[-1].endswith("no problems found")
        assert [p.name for p in self.store.iterdir() if p.name.startswith(".")] == []


@pytest.fixture
def full(disk: Path, tmp_path: Path, plain_registry: PlainRegistry) -> FullDisk:
    """Store an image on an otherwise empty disk."""
    plain_registry.push_image("octo/kept", "1", KEPT)
    plain_registry.push_image("octo/huge", "1", HUGE)
    made = FullDisk(Shell(tmp_path), disk, plain_registry.host)
    made.shell.ok("pull", "-q", made.name)
    return made


def test_a_pull_that_does_not_fit_keeps_existing_images(full: FullDisk) -> None:
    full.refuses("pull", "-q", full.huge)
    full.is_well(full.name)
    # Complete downloads are kept for the next attempt. Partial ones take no space.
    assert shutil.disk_usage(full.store).free > 0
    full.shell.ok("prune", "-f")
    full.is_well(full.name)
    blobs = {path.name for path in (full.store / "blobs" / "sha256").iterdir()}
    assert blobs == {d.digest.encoded for d, _ in KEPT.contents}


@pytest.mark.parametrize(
    "act",
    [
        ["pull", "-q", "HUGE"],
        ["tag", "NAME", "ghcr.io/octo/other:1"],
        ["import", "ARCHIVE", "imported:1"],
    ],
    ids=["pull", "tag", "import"],
)
def test_on_a_full_disk_commands_that_need_space_fail_and_change_nothing(
    full: FullDisk, archive: str, act: list[str]
) -> None:
    full.fill()
    known = {"HUGE": full.huge, "NAME": full.name, "ARCHIVE": archive}
    full.refuses(*(known.get(word, word) for word in act))
    full.is_well(full.name)
    full.free()
    if act[0] != "pull":
        full.shell.ok(*(known.get(word, word) for word in act))
        assert len(full.names()) == 2


def test_an_image_can_be_removed_from_a_full_disk(full: FullDisk) -> None:
    full.fill()
    full.shell.ok("rmi", full.name)
    full.is_well()
    assert list((full.store / "blobs" / "sha256").iterdir()) == []
    full.free()
    full.shell.ok("pull", "-q", full.name)
    full.is_well(full.name)


def test_names_can_be_removed_from_a_full_disk_though_that_frees_next_to_nothing(
    full: FullDisk,
) -> None:
    more = [f"ghcr.io/octo/other:{number}" for number in range(40)]
    add_names(full, more)
    for number in range(12):
        full.fill()
        full.shell.ok("rmi", more[number])
    full.is_well(full.name, *more[12:])


def test_a_full_disk_can_be_pruned(full: FullDisk) -> None:
    more = [f"ghcr.io/octo/other:{number}" for number in range(40)]
    add_names(full, more)
    full.fill()
    full.shell.ok("prune", "-f", "--keep-last", "1")
    assert len(full.names()) == 2
    full.shell.ok("prune", "-f", "-a")
    full.is_well()


def test_a_store_without_reserved_space_frees_unused_content(full: FullDisk) -> None:
    more = [f"ghcr.io/octo/other:{number}" for number in range(40)]
    add_names(full, more)
    for left in (f"ghcrctl/partial/sha256-{'a' * 64}.1-dead", f"blobs/sha256/{'b' * 64}"):
        (full.store / "ghcrctl" / "spare").unlink()
        (full.store / left).write_bytes(bytes(100_000))
        full.fill()
        full.shell.ok("rmi", more.pop())
        assert not (full.store / left).exists()
    full.is_well(full.name, *more)


def add_names(full: FullDisk, names: list[str]) -> None:
    """Add names to the image, like many commands would."""
    path = full.store / "index.json"
    document = json.loads(path.read_text())
    [entry] = document["manifests"]
    key = "org.opencontainers.image.ref.name"
    document["manifests"] += [
        {**entry, "annotations": {**entry["annotations"], key: name}} for name in names
    ]
    path.write_text(json.dumps(document))
    full.shell.ok("tag", full.name, "ghcr.io/octo/other:0")
