"""``ghcrctl manifest`` with docker's command lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.builders import random_image
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

ONE, OTHER = random_image(1, seed=1), random_image(1, seed=2)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_dockers_sequence_works_unchanged(shell: Shell, plain_registry: PlainRegistry) -> None:
    name = f"{plain_registry.host}/octo/image"
    for tag, image in (("a", ONE), ("b", OTHER)):
        plain_registry.push_image("octo/image", tag, image)
    lines = shell.ok("manifest", "create", f"{name}:1", f"{name}:a", f"{name}:b")
    assert lines == [f"Created manifest list {name}:1"]
    shell.ok("manifest", "create", "--amend", f"{name}:1", f"{name}:b")
    annotate = ("--os", "linux", "--arch", "arm64", "--variant", "v8", "--os-features", "x,y")
    shell.ok("manifest", "annotate", *annotate, f"{name}:1", f"{name}:b")
    assert shell.run("exists", f"{name}:1").returncode == 4
    shown = json.loads("\n".join(shell.ok("manifest", "inspect", f"{name}:1")))
    platform = {"architecture": "arm64", "os": "linux", "variant": "v8", "os.features": ["x", "y"]}
    assert shown["manifests"][1]["platform"] == platform
    one = json.loads("\n".join(shell.ok("manifest", "inspect", f"{name}:1", f"{name}:b")))
    assert one["config"]["digest"] == json.loads(OTHER.contents[-1][1])["config"]["digest"]
    [digest] = shell.ok("manifest", "push", "--purge", f"{name}:1")
    assert shell.ok("digest", f"{name}:1") == [digest]
    assert "no such manifest list" in shell.fails(4, "manifest", "rm", f"{name}:1")
    told = shell.fails(7, "manifest", "create", f"{name}:1", f"{name}:a")
    assert "--amend adds to it, --replace replaces it" in told
    *_, previous, last = shell.ok(
        "manifest", "create", "--replace", "--push", f"{name}:1", f"{name}:a"
    )
    assert previous == f"Previous digest: {digest}"
    assert last == f"Pushed to {name}:1"
    shell.ok("manifest", "create", f"{name}:2", f"{name}:a")
    assert shell.ok("manifest", "rm", f"{name}:2") == []
