"""Commands with several images: output, requests and exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import index_of, random_image
from tests.registry_double import Fault
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

ONE, TWO = random_image(3, seed=1), random_image(3, seed=2)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def names(plain_registry: PlainRegistry) -> list[str]:
    """Three images that share layers, and one that shares none."""
    host = plain_registry.host
    plain_registry.push_image("octo/image", "one", ONE)
    plain_registry.push_image("octo/image", "all", index_of(ONE))
    plain_registry.push_image("octo/image", "two", TWO)
    return [f"{host}/octo/image:{tag}" for tag in ("one", "all", "two")]


def test_layers_that_images_share_are_pulled_once(
    shell: Shell, names: list[str], plain_registry: PlainRegistry
) -> None:
    lines = shell.ok("pull", "--all-platforms", *names, names[0])
    assert [line for line in lines if line in names] == names
    assert [line for line in lines if "Pulling from" in line] == [
        f"{name.rpartition(':')[2]}: Pulling from octo/image" for name in names
    ]
    for descriptor, _ in (*ONE.blobs, *TWO.blobs):
        assert plain_registry.count("GET", f"/blobs/{descriptor.digest}") == 1
    assert shell.ok("fsck")[-1].startswith("Checked 3 images")


def test_layers_that_images_share_are_pushed_once(
    shell: Shell, names: list[str], plain_registry: PlainRegistry
) -> None:
    shell.ok("pull", "-q", "--all-platforms", *names)
    fresh = [name.replace("octo/image", "octo/other") for name in names]
    for name, other in zip(names, fresh, strict=True):
        shell.ok("tag", name, other)
    # Remove the record of uploaded layers, so that they are uploaded.
    shell.ok("rmi", *names)
    lines = shell.ok("push", *fresh)
    assert sum("refers to repository" in line for line in lines) == 1
    assert [line.partition(":")[0] for line in lines if "digest: " in line] == ["one", "all", "two"]
    distinct = {descriptor.digest for descriptor, _ in (*ONE.blobs, *TWO.blobs)}
    assert plain_registry.count("PUT", "/octo/other/blobs/uploads/") == len(distinct)


def test_an_image_that_fails_does_not_stop_the_others(
    shell: Shell, names: list[str], plain_registry: PlainRegistry
) -> None:
    missing = f"{plain_registry.host}/octo/missing:1"
    done = shell.run("pull", "-q", names[0], missing, names[2])
    assert done.returncode == 4
    assert done.stdout.split() == [names[0], names[2]]
    assert done.stderr.startswith(
        f"error: repository not found: {plain_registry.host}/octo/missing"
    )
    layer = TWO.blobs[0][0].digest
    broken = Fault(path_contains=f"/blobs/{layer}", status=500, times=99)
    plain_registry.faults.append(broken)
    shell.ok("rmi", names[2])
    done = shell.run("pull", "-q", names[2], names[0], missing)
    assert (done.returncode, done.stdout.split()) == (3, [names[0]])
    assert done.stderr.count("error: ") == 2


def test_a_dry_run_tells_and_does_nothing(
    shell: Shell, names: list[str], plain_registry: PlainRegistry
) -> None:
    layers = [descriptor for descriptor, _ in ONE.blobs[:-1]]
    lines = shell.ok("pull", "--dry-run", names[0])
    assert lines[0] == "one: Pulling from octo/image"
    assert [line.partition(":")[0] for line in lines[1:-1]] == [d.digest.short for d in layers]
    assert lines[-1].endswith("0B already exist")
    assert plain_registry.count("GET", "/blobs/") == 0
    assert not (shell.folder / "store").exists()
    shell.ok("pull", "-q", names[0])
    assert shell.ok("pull", "--dry-run", names[0])[-1].startswith("Would download 0B; ")
    other = names[0].replace("octo/image", "octo/other")
    shell.ok("tag", names[0], other)
    plain_registry.log.clear()
    for command in (("push", "--dry-run", other), ("copy", "--dry-run", names[0], other)):
        assert not shell.ok(*command)[-1].startswith("Would upload 0B")
    assert plain_registry.count("PUT") == plain_registry.count("POST") == 0
