"""Output files of commands: modes and invalid paths."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.shell import Shell

if TYPE_CHECKING:
    from tests.registry_double import PlainRegistry

pytestmark = pytest.mark.needs("modes")


@pytest.fixture
def shell(tmp_path: Path, archive: str) -> Shell:
    shell = Shell(tmp_path / "home")
    shell.ok("import", archive, "hello")
    return shell


ARCHIVES = (
    ("save", "hello", "-o", "{}"),
    ("save", "hello", "--format", "docker", "-o", "{}"),
    ("save", "hello", "--compress", "gzip", "-o", "{}"),
    ("export", "hello", "-o", "{}"),
    ("copy", "hello", "archive:{}"),
)


def _run(shell: Shell, arguments: tuple[str, ...], path: Path | str) -> None:
    shell.ok(*(argument.format(path) for argument in arguments))


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("arguments", ARCHIVES, ids=" ".join)
def test_an_archive_is_private_and_keeps_the_mode_of_an_existing_file(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    path = shell.folder / "out.tar"
    _run(shell, arguments, path)
    assert _mode(path) == 0o600
    for mode in (0o644, 0o640, 0o400):
        path.chmod(mode)
        _run(shell, arguments, path)
        assert _mode(path) == mode
    assert [name.name for name in shell.folder.iterdir() if "out" in name.name] == ["out.tar"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("save", "hello", "-o", ""),
        ("export", "hello", "-o", ""),
        ("export", "hello", "--to", ""),
        ("artifact", "pull", "octo/tool:1", "--to="),
        ("artifact", "push", "octo/tool:1", "--type", "a/b", ""),
        ("attach", "octo/tool:1", "--type", "a/b", ""),
        ("load", "-i", ""),
        ("import", "", "other"),
        ("build", ".", "-f", ""),
        ("build", ".", "--iidfile", ""),
        ("build", ".", "--metadata-file="),
        ("pull", "octo/tool:1", "--digest-file", ""),
        ("lock", "check", "--file="),
        ("sync", "--file", ""),
        ("packages", "apply", ""),
        ("packages", "prune", "octo/tool", "--plan", ""),
        ("copy", "hello", "archive:x", "--src-ca-file", ""),
    ],
    ids=" ".join,
)
def test_an_empty_path_is_not_the_current_directory(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    before = set(shell.folder.iterdir())
    message = shell.fails(2, *arguments)
    assert message.startswith("error: invalid value `` for ")
    assert ": expected a path\n" in message
    assert set(shell.folder.iterdir()) == before


INPUTS = (
    ("load", "-i", "{}"),
    ("import", "{}", "new"),
    ("append", "--base", "hello", "{}", "--tag", "new:1"),
    ("append", "--base", "hello", "{}/in/it", "--tag", "new:1"),
    ("copy", "archive:{}", "new:1"),
    ("copy", "oci:{}", "new:1"),
    ("artifact", "push", "localhost:1/a/b:1", "--type", "a/b", "{}"),
    ("sync", "--file", "{}"),
    ("lock", "check", "--file", "{}"),
    ("lock", "pull", "--file", "{}/in/it"),
)


@pytest.mark.parametrize("arguments", INPUTS, ids=" ".join)
def test_a_file_to_read_that_is_missing_is_not_found(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    (shell.folder / "file").write_bytes(b"")
    for name in ("none", "file/none"):
        message = shell.fails(4, *(argument.format(name) for argument in arguments))
        assert name in message


@pytest.mark.parametrize("arguments", INPUTS, ids=" ".join)
def test_an_impossible_input_path_is_not_a_disk_failure(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    done = shell.run(*(argument.format("x" * 300) for argument in arguments))
    assert done.returncode in {2, 4}, done.stderr
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("path", "shown", "hint"),
    [("./", "`.`", "NAME"), ("..", "`..`", "../NAME"), ("d/", "d", "d/NAME")],
)
def test_a_directory_to_write_gets_the_name_of_a_file_as_a_hint(
    shell: Shell, path: str, shown: str, hint: str
) -> None:
    (shell.folder / "d").mkdir()
    message = shell.fails(2, "save", "hello", "-o", path)
    assert message.splitlines() == [
        f"error: cannot write {shown}: it is a directory",
        f"hint: choose a file in it, such as {hint}",
    ]


@pytest.mark.parametrize("command", [("lock", "check"), ("lock", "pull"), ("sync",)], ids=" ".join)
def test_a_directory_cannot_be_read_as_a_file(shell: Shell, command: tuple[str, ...]) -> None:
    message = shell.fails(2, *command, "--file", str(shell.folder))
    assert message.startswith(f"error: cannot read {shell.folder}: it is a directory\n")


def test_a_link_still_leads_to_the_archive(shell: Shell) -> None:
    kept = shell.folder / "kept.tar"
    kept.write_bytes(b"old")
    kept.chmod(0o644)
    link = shell.folder / "link.tar"
    link.symlink_to("kept.tar")
    shell.ok("save", "hello", "-o", "link.tar")
    assert link.is_symlink()
    assert kept.stat().st_size > 1000
    assert _mode(kept) == 0o644


@pytest.mark.needs("/dev/stdout")
def test_a_redirected_stdout_by_its_path_is_not_replaced(shell: Shell) -> None:
    out = shell.folder / "out.tar"
    with out.open("wb") as file:
        command = [sys.executable, "-m", "ghcrctl", "save", "hello", "-o", "/dev/stdout"]
        subprocess.run(command, env=shell.environ, stdout=file, check=True, timeout=60)
    assert Path("/dev/stdout").is_symlink()
    assert out.stat().st_size > 1000


def test_files_that_hold_no_image_follow_the_umask(shell: Shell) -> None:
    # Started directly, because the fork server keeps its own umask.
    program = [sys.executable, "-m", "ghcrctl"]
    command = [*program, "import", "../rootfs.tar", "other", "--digest-file", "digest"]
    subprocess.run(
        command, env=shell.environ, cwd=shell.folder, umask=0o027, check=True, timeout=60
    )
    path = shell.folder / "digest"
    assert _mode(path) == 0o640
    path.chmod(0o604)
    shell.ok("import", "../rootfs.tar", "other", "--digest-file", "digest")
    assert _mode(path) == 0o604


def test_a_lock_file_keeps_its_mode(shell: Shell, plain_registry: PlainRegistry) -> None:
    name = f"{plain_registry.host}/octo/image:1"
    shell.ok("tag", "hello", name)
    shell.ok("push", "-q", name)
    path = shell.folder / "images.lock"
    shell.ok("lock", "add", "--file", str(path), name)
    path.chmod(0o664)
    shell.ok("lock", "remove", "--file", str(path), name)
    assert _mode(path) == 0o664


FILES = (
    *ARCHIVES,
    ("import", "../rootfs.tar", "other", "--digest-file", "{}"),
    ("digest", "localhost:1/octo/image", "--digest-file", "{}"),
    ("pull", "localhost:1/octo/image", "--digest-file", "{}"),
    ("push", "localhost:1/octo/image", "--digest-file", "{}"),
    ("lock", "add", "localhost:1/octo/image:1", "--file", "{}"),
    ("packages", "prune", "octo/app", "--plan", "{}"),
    ("build", ".", "--iidfile", "{}"),
    ("build", ".", "--metadata-file", "{}"),
)
DIRECTORIES = (
    ("save", "hello", "--format", "oci-dir", "-o", "{}"),
    ("export", "hello", "--to", "{}"),
    ("copy", "hello", "oci:{}"),
    ("artifact", "pull", "localhost:1/octo/image", "--to", "{}"),
    ("lock", "add", "localhost:1/octo/image:1", "--file", "{}/images.lock"),
)


@pytest.mark.parametrize("arguments", FILES, ids=" ".join)
def test_a_mistyped_file_is_a_usage_error(shell: Shell, arguments: tuple[str, ...]) -> None:
    (shell.folder / "Dockerfile").write_text("FROM scratch\n")
    (shell.folder / "file").write_text("mine")
    (shell.folder / "directory").mkdir()
    (shell.folder / "circle").symlink_to("circle")
    paths = {
        "none/out": "the directory",
        "file/out": "not a directory",
        "directory": "directory",
        "x" * 256: "name too long",
    }
    if arguments[0] == "lock":
        # Missing directories are created, and long paths are valid in a layout.
        del paths["none/out"]
    before = sorted(shell.folder.iterdir())
    for path, why in paths.items():
        said = shell.fails(2, *(argument.format(path) for argument in arguments))
        assert why in said.lower(), said
        assert path.partition("/")[0][:100] in said
    assert (shell.folder / "file").read_text() == "mine"
    assert sorted(shell.folder.iterdir()) == before


@pytest.mark.parametrize("arguments", DIRECTORIES, ids=" ".join)
def test_a_mistyped_directory_is_a_usage_error(shell: Shell, arguments: tuple[str, ...]) -> None:
    (shell.folder / "file").write_text("mine")
    for path in ("file", "file/under/it"):
        shell.fails(2, *(argument.format(path) for argument in arguments))
    assert (shell.folder / "file").read_text() == "mine"


@pytest.mark.needs("/dev/full")
def test_a_full_disk_is_not_a_usage_error(shell: Shell) -> None:
    shell.fails(8, "save", "hello", "-o", "/dev/full")


@pytest.mark.parametrize("name", ["base.tar", "link.tar", "../home/base.tar", "hard.tar"])
def test_an_archive_is_not_replaced_by_its_own_output(shell: Shell, name: str) -> None:
    shell.ok("tag", "hello", "other")
    shell.ok("save", "-o", "base.tar", "hello", "other")
    path = shell.folder / "base.tar"
    (shell.folder / "link.tar").symlink_to("base.tar")
    os.link(path, shell.folder / "hard.tar")
    before = path.read_bytes()
    for command in (
        ("save", "--without", "base.tar", "-o", name, "hello"),
        ("copy", "archive:base.tar:hello", f"archive:{name}"),
    ):
        said = shell.fails(2, *command)
        assert said.startswith(f"error: cannot write {name}: it is also an input\n")
        assert path.read_bytes() == before
    shell.ok("copy", "archive:base.tar:hello", "archive:new.tar")
    shell.ok("save", "--without", "base.tar", "-o", "update.tar", "hello")
    assert path.read_bytes() == before


def test_a_layout_copied_onto_itself_is_intact(shell: Shell) -> None:
    shell.ok("copy", "hello", "oci:layout")
    (shell.folder / "link").symlink_to("layout")
    index = shell.folder / "layout" / "index.json"
    before = json.loads(index.read_bytes())
    shell.ok("copy", "oci:layout", "oci:link")
    assert json.loads(index.read_bytes()) == before
    shell.ok("copy", "oci:link:latest", "oci:layout:second")
    assert len(json.loads(index.read_bytes())["manifests"]) == 2
