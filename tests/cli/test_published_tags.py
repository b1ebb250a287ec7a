"""Published tags do not lose platforms unless the command line says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.oci.platform import Platform
from tests.builders import index_of, random_image
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

AMD = random_image(2, seed=1)
ALL = index_of(AMD, random_image(1, seed=2, platform=Platform("linux", "arm64")))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def name(plain_registry: PlainRegistry) -> str:
    plain_registry.push_image("octo/image", "1", ALL)
    return f"{plain_registry.host}/octo/image"


@pytest.mark.parametrize("command", ["push", "copy", "push --all-tags", "push --dry-run"])
def test_a_pulled_platform_does_not_replace_the_index(
    shell: Shell, name: str, command: str
) -> None:
    shell.ok("pull", f"{name}:1")
    arguments = {"copy": [f"store:{name}:1", f"{name}:1"], "push --all-tags": [name]}
    told = shell.fails(7, *command.split(), *arguments.get(command, [f"{name}:1"]))
    assert f"error: cannot push to {name}:1: the tag points to an index of" in told
    assert "--force" in told
    assert shell.ok("digest", f"{name}:1") == [str(ALL.root.digest)]


@pytest.mark.parametrize("command", ["push", "copy"])
def test_a_new_tag_gets_the_platform_with_dockers_note(
    shell: Shell, name: str, command: str
) -> None:
    shell.ok("pull", "-q", f"{name}:1")
    shell.ok("tag", f"{name}:1", f"{name}:2")
    source = [f"store:{name}:1"] if command == "copy" else []
    done = shell.run(command, "-q", *source, f"{name}:2")
    assert done.returncode == 0
    assert done.stdout == f"{name}:2\n"
    assert done.stderr.startswith(
        "warning: Not all multiplatform-content is present and only the available "
        f"single-platform image was pushed\n  {ALL.root.digest} -> {AMD.root.digest}\n"
    )
    # The suggested command works.
    hint = done.stderr.splitlines()[-1].partition("ghcrctl ")[2].split()
    shell.ok(*hint)
    assert shell.ok("digest", f"{name}:2") == [str(ALL.root.digest)]


def test_force_prints_a_warning(shell: Shell, name: str) -> None:
    shell.ok("pull", f"{name}:1")
    shell.ok("push", "--force", f"{name}:1")
    assert shell.ok("digest", f"{name}:1") == [str(AMD.root.digest)]
