"""The output of one command is valid input of the next: ``--quiet``, names, digests and IDs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.builders import artifact, index_of, random_image
from tests.cli.test_packages import NAME as PACKAGE
from tests.cli.test_packages import github
from tests.cli.test_packages import shell as package_shell
from tests.integration.peers import require_peer
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

__all__ = ["github", "package_shell"]
ONE, TWO = random_image(2, seed=1), random_image(2, seed=2)


@pytest.fixture
def name(plain_registry: PlainRegistry) -> str:
    plain_registry.push_image("octo/image", "one", ONE)
    plain_registry.push_image("octo/image", "two", TWO)
    plain_registry.push_image("octo/image", "all", index_of(ONE))
    return f"{plain_registry.host}/octo/image"


@pytest.fixture
def shell(tmp_path: Path, archive: str) -> Shell:
    assert archive
    return Shell(tmp_path)


def pipe(shell: Shell, line: str) -> list[str]:
    """Run a shell command in which every command must succeed, and return its output."""
    program = shell.folder / "bin" / "ghcrctl"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ghcrctl "$@"\n')
    program.chmod(0o755)
    done = subprocess.run(
        [require_peer("bash"), "-euo", "pipefail", "-c", line],
        cwd=shell.folder,
        env={**shell.environ, "PATH": f"{program.parent}:{shell.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_digest_is_pulled(shell: Shell, name: str) -> None:
    pinned = f"{name}@{index_of(ONE).root.digest}"
    assert pipe(shell, f"ghcrctl pull -q $(ghcrctl digest {name}:all --full)") == [pinned]


def test_all_local_images_are_removed(shell: Shell, name: str) -> None:
    shell.ok("pull", f"{name}:one", f"{name}:two")
    pipe(shell, "ghcrctl rmi $(ghcrctl images -q)")
    assert pipe(shell, "ghcrctl images -q") == []


def test_referrers_are_removed_with_their_subject_and_in_any_order(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    plain_registry.push_image("octo/image", "signature", artifact(subject=ONE.root))
    for order in ("cat", "tac"):
        shell.ok("pull", f"{name}:one")
        pipe(shell, f"ghcrctl pull -q $(ghcrctl digest --full {name}:signature)")
        assert len(pipe(shell, "ghcrctl images -q")) == 2
        pipe(shell, f"ghcrctl rmi $(ghcrctl images -q | {order})")
        assert pipe(shell, "ghcrctl images -q") == []


def test_loaded_images_can_be_piped_to_push(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    names = [f"{name}:one", f"{name}:two"]
    shell.ok("pull", *names)
    shell.ok("save", "-o", "images.tar", *names)
    pipe(shell, "ghcrctl rmi $(ghcrctl images -q)")
    plain_registry.log.clear()
    assert pipe(shell, "ghcrctl load -q -i images.tar | xargs ghcrctl push -q") == names
    assert plain_registry.log


def test_outdated_images_can_be_piped_to_pull(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    shell.ok("pull", f"{name}:one", f"{name}:two")
    line = "ghcrctl outdated -q | xargs -r ghcrctl pull -q"
    assert pipe(shell, line) == []
    plain_registry.push_image("octo/image", "one", TWO)
    assert pipe(shell, line) == [f"{name}:one"]
    assert pipe(shell, line) == []


def test_created_images_are_found_by_the_printed_name(shell: Shell, name: str) -> None:
    made = "ghcrctl import rootfs.tar hello"
    assert pipe(shell, f"ghcrctl inspect -f '{{{{.Id}}}}' $({made})") == shell.ok(
        "images", "-q", "--no-trunc"
    )
    made = f"ghcrctl mutate -q -c 'ENV A=1' -t {name}:made {name}:one"
    assert pipe(shell, f"ghcrctl pull -q {name}@$({made})") == shell.ok(
        "digest", "--full", f"{name}:made"
    )
    made = f"ghcrctl attach -q --type text/plain {name}:one rootfs.tar"
    assert pipe(shell, f"ghcrctl artifact pull --to files $({made})") == ["files/rootfs.tar"]


def test_copies_are_named(shell: Shell, name: str) -> None:
    copies = [f"{name}-copy:{tag}" for tag in ("all", "one", "two")]
    assert sorted(pipe(shell, f"ghcrctl sync -q {name} {name}-copy")) == copies
    assert pipe(shell, f"ghcrctl sync -q {name} {name}-copy") == []
    line = f"ghcrctl copy -q {name}-copy:one {name}-other:one | xargs ghcrctl exists"
    assert pipe(shell, line) == []


def test_templates_put_arguments_together(shell: Shell, name: str) -> None:
    line = f"ghcrctl tags --format '{name}:{{{{.Tag}}}}' {name} | sort | xargs ghcrctl pull -q"
    assert pipe(shell, line) == [f"{name}:{tag}" for tag in ("all", "one", "two")]
    line = f"ghcrctl pull --format '{{{{.Name}}}}@{{{{.Digest}}}}' {name}:one | cut -d@ -f2"
    assert pipe(shell, line) == [str(ONE.root.digest)]


def test_packages_and_versions_are_passed_on(package_shell: Shell) -> None:
    checked = pipe(package_shell, "ghcrctl packages list -q | xargs ghcrctl packages check")
    assert any(f"{PACKAGE}: " in line for line in checked)
    assert any("octo/lib: " in line for line in checked)
    line = (
        "ghcrctl packages prune -q --dry-run --min-age 0s octo/app "
        "| sed 's,^,octo/app@,' | xargs -n 1 ghcrctl packages delete -q --yes"
    )
    deleted = pipe(package_shell, line)
    assert deleted
    options = " ".join(f"--digest {digest}" for digest in deleted)
    assert pipe(package_shell, f"ghcrctl packages restore -q octo/app {options}") == deleted
