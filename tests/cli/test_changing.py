"""The commands ``flatten``, ``rebase`` and ``convert``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.builders import attested, random_image
from tests.shell import Shell
from tests.unit.operations.making.test_rebase import IMAGE, NEW, OLD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import RegistryDouble


@pytest.fixture
def shell(tmp_path: Path, ghcr: RegistryDouble) -> Shell:
    made = Shell(tmp_path)
    made.environ |= {"GHCRCTL_REGISTRY": ghcr.host, "GHCRCTL_TOKEN": "ghp_octo"}
    return made


def test_an_image_is_flattened_at_its_registry(shell: Shell, ghcr: RegistryDouble) -> None:
    name = f"{ghcr.host}/octo/image"
    ghcr.push_image("octo/image", "1", attested(random_image(2)))
    done = shell.run("flatten", f"{name}:1", "-t", f"{name}:flat", "--compress", "zstd")
    assert done.returncode == 0
    assert done.stderr == ("warning: dropped an attestation of the original image\n")
    layer, digest, last = done.stdout.splitlines()
    assert layer.endswith(": Copied")
    assert last == f"Pushed to {name}:flat"
    assert shell.ok("digest", f"{name}:flat") == [digest.removeprefix("Digest: ")]
    # All content exists again.
    assert shell.ok("flatten", f"{name}:1", "-t", f"{name}:flat", "--compress", "zstd") == [
        digest,
        last,
    ]


def test_an_image_is_rebased_at_its_registry(shell: Shell, ghcr: RegistryDouble) -> None:
    app, base = f"{ghcr.host}/octo/app", f"{ghcr.host}/octo/base"
    for repository, tag, image in (("app", "1", IMAGE), ("base", "1", OLD), ("base", "2", NEW)):
        ghcr.push_image(f"octo/{repository}", tag, image)
    bases = ("--old-base", f"{base}:1", "--new-base", f"{base}:2")
    *layers, digest, previous, last = shell.ok("rebase", "--replace", f"{app}:1", *bases)
    assert sorted(line.partition(": ")[2] for line in layers) == [
        "Layer already exists",
        *["Mounted from octo/base"] * 3,
    ]
    assert previous == f"Previous digest: {IMAGE.root.digest}"
    assert last == f"Pushed to {app}:1"
    # The annotations name the base image, and its tag has not moved.
    assert shell.ok("rebase", "-q", f"{app}:1") == [digest.removeprefix("Digest: ")]
    told = shell.fails(7, "rebase", f"{app}:1", "--old-base", f"{base}:1")
    assert f"is not based on {base}:1: its layer 1 is sha256:" in told


def test_an_image_is_converted_in_the_store(shell: Shell, ghcr: RegistryDouble) -> None:
    name = f"{ghcr.host}/octo/image:1"
    ghcr.push_image("octo/image", "1", random_image(2, format="docker"))
    shell.ok("pull", name)
    [image_id] = shell.ok("images", "-q", "--no-trunc", name)
    lines = shell.ok("convert", "--local", "--to", "oci", "--compress", "zstd", name, "-t", "other")
    assert len(lines) == 4
    assert lines[-1] == "Stored as other:latest"
    assert shell.ok("images", "-q", "--no-trunc", "other") == [image_id]
    [first] = json.loads("\n".join(shell.ok("inspect", "other")))
    [second] = json.loads("\n".join(shell.ok("inspect", name)))
    assert first["RootFS"] == second["RootFS"]
    assert "--compress gzip" in shell.fails(7, "convert", "--to", "docker", "other")
    back = ("convert", "-q", "--replace", "--to", "docker", "--compress", "gzip", "other")
    assert shell.ok(*back) == shell.ok(*back)
    assert shell.ok("images", "-q", "--no-trunc", "other") == [image_id]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["convert", "hello"], "expected --to, --compress or both"),
        (["convert", "--force", "--to", "oci", "hello"], "--force requires --compress"),
        (["convert", "--level", "3", "hello"], "--level requires --compress"),
        (["flatten", "--compress", "gzip", "--level", "12", "hello"], "invalid gzip level 12"),
        (["flatten", "--replace", "hello@sha256:" + "0" * 64], "expected NAME:TAG"),
        (["flatten", "--replace", "-t", "other", "hello"], "are mutually exclusive"),
    ],
)
def test_invalid_options_are_rejected(shell: Shell, arguments: list[str], told: str) -> None:
    assert told in shell.fails(2, *arguments)


def test_without_a_tag_the_new_image_is_pushed_by_its_digest(
    shell: Shell, ghcr: RegistryDouble
) -> None:
    name, built = f"{ghcr.host}/octo/image", random_image(2)
    ghcr.push_image("octo/image", "1", built)
    (shell.folder / "rootfs").mkdir()
    for command in (
        ("mutate", "-c", "USER 7", f"{name}:1"),
        ("flatten", f"{name}:1"),
        ("convert", "--to", "docker", f"{name}:1"),
        ("append", "--base", f"{name}:1", "rootfs"),
    ):
        *_, digest, last = shell.ok(*command)
        pinned = f"{name}@{digest.removeprefix('Digest: ')}"
        assert last == f"Pushed to {pinned}"
        assert shell.ok("exists", pinned) == []
        assert shell.ok("digest", f"{name}:1") == [str(built.root.digest)]
    [document] = [json.loads("\n".join(shell.ok(*command, "--format", "json")))]
    assert document["Name"] == pinned
    assert document["Previous"] is None
    *_, digest, previous, last = shell.ok("append", "--base", f"{name}:1", "--replace", "rootfs")
    assert previous == f"Previous digest: {built.root.digest}"
    assert last == f"Pushed to {name}:1"
    assert shell.ok("digest", f"{name}:1") == [digest.removeprefix("Digest: ")]


def test_the_same_rule_holds_in_the_store(shell: Shell, ghcr: RegistryDouble) -> None:
    name = f"{ghcr.host}/octo/image:1"
    ghcr.push_image("octo/image", "1", random_image(2))
    shell.ok("pull", name)
    shell.ok("tag", name, "hello")
    before = shell.ok("images", "-q", "hello")
    *_, last = shell.ok("flatten", "hello")
    assert last.startswith("Stored as hello@sha256:")
    assert shell.ok("images", "-q", "hello:latest") == before
    assert len(json.loads("\n".join(shell.ok("inspect", last.partition(" as ")[2])))) == 1
    *_, previous, last = shell.ok("flatten", "--replace", "hello")
    assert previous.startswith("Previous digest: sha256:")
    assert last == "Stored as hello:latest"
    assert shell.ok("images", "-q", "hello:latest") != before


def test_append_tells_a_name_from_a_layer(shell: Shell, ghcr: RegistryDouble) -> None:
    name = f"{ghcr.host}/octo/image"
    ghcr.push_image("octo/image", "1", random_image(1))
    for folder in ("rootfs", "etc"):
        (shell.folder / folder).mkdir()
    base = ("append", "--base", f"{name}:1")
    for arguments, expected in (
        ((f"{name}:2", "rootfs", "etc"), f"Pushed to {name}:2"),
        (("-t", f"{name}:3", "rootfs", "etc"), f"Pushed to {name}:3"),
        (("new", "rootfs"), "Stored as new:latest"),
        (("./rootfs", "./etc"), f"Pushed to {name}@sha256:"),
    ):
        assert shell.ok(*base, *arguments)[-1].startswith(expected)
    assert "--tag NAME" in shell.fails(2, *base, "rootfs", "etc")
