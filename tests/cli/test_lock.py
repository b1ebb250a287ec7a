"""``ghcrctl lock``."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ghcrctl.oci.platform import Platform
from tests.builders import index_of, random_image
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

ARM64 = random_image(platform=Platform("linux", "arm64"), seed=2)
INDEX = index_of(random_image(seed=1), ARM64)
MOVED = index_of(random_image(seed=3), ARM64)
SINGLE = random_image(seed=4)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def name(plain_registry: PlainRegistry) -> str:
    plain_registry.push_image("octo/app", "1", INDEX)
    plain_registry.push_image("octo/db", "16", SINGLE)
    return f"{plain_registry.host}/octo/app:1"


@pytest.fixture
def database(plain_registry: PlainRegistry) -> str:
    return f"{plain_registry.host}/octo/db:16"


def locked(shell: Shell) -> str:
    return (shell.folder / "images.lock").read_text()


def test_names_are_pinned_and_listed(shell: Shell, name: str, database: str) -> None:
    lines = shell.ok("lock", "add", database, name)
    assert lines[0].startswith(f"{database}: pinned: {SINGLE.root.digest.short} (linux/amd64 ")
    assert ", linux/arm64 " in lines[1]
    text = locked(shell)
    assert f'digest = "{INDEX.root.digest}"' in text
    assert f'{{ platform = "linux/arm64", digest = "{ARM64.root.digest}", size = ' in text
    repository = name.rpartition(":")[0]
    assert shell.ok("lock", "list", "-q", name) == [f"{repository}@{INDEX.root.digest}"]
    assert [line.split()[:2] for line in shell.ok("lock", "list")] == [
        ["NAME", "DIGEST"],
        [name, INDEX.root.digest.short],
        [database, SINGLE.root.digest.short],
    ]
    assert shell.ok("lock", "add", name)[0].startswith(f"{name}: already pinned: ")
    assert locked(shell) == text
    listed = json.loads("".join(shell.ok("lock", "list", "--format", "json")))
    assert [one["Name"] for one in listed] == [name, database]
    assert listed[0]["Platforms"][1]["Size"] == sum(d.size for d, _ in ARM64.contents)
    assert shell.ok("lock", "list", "--format", "{{.Tag}} {{.Digest}}", "--", database) == [
        f"16 {SINGLE.root.digest}"
    ]


def test_a_moved_tag_fails_the_check_until_it_is_updated(
    shell: Shell, name: str, database: str, plain_registry: PlainRegistry
) -> None:
    shell.ok("lock", "add", name, database)
    assert shell.ok("lock", "check") == [f"{name}: current", f"{database}: current"]
    plain_registry.push_image("octo/app", "1", MOVED)
    done = shell.run("lock", "check")
    assert (done.returncode, done.stdout) == (9, f"{database}: current\n")
    assert f"pins {INDEX.root.digest}, but it is now {MOVED.root.digest}" in done.stderr
    assert f"hint: ghcrctl lock update {name}" in done.stderr
    quiet = shell.run("lock", "check", "-q")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (9, f"{name}\n", "")
    assert shell.ok("lock", "check", database) == [f"{database}: current"]
    before = locked(shell)
    moved = (
        f"{name}: {INDEX.root.digest.short} -> {MOVED.root.digest.short} (linux/arm64 unchanged)"
    )
    expected = [moved, f"{database}: unchanged"]
    assert shell.ok("lock", "update", "--dry-run") == expected
    assert locked(shell) == before
    assert shell.ok("lock", "update") == expected
    assert shell.ok("lock", "check", "-q") == []


def test_a_check_prints_a_list_and_reports_failures_as_errors(
    shell: Shell, name: str, database: str, plain_registry: PlainRegistry
) -> None:
    shell.ok("lock", "add", name, database)
    plain_registry.push_image("octo/app", "1", MOVED)
    plain_registry.backend.delete("octo/db", SINGLE.root.digest)
    done = shell.run("lock", "check", "--format", "json")
    assert done.returncode == 4
    moved, gone = json.loads(done.stdout)
    assert (moved["Status"], moved["Now"]) == ("moved", str(MOVED.root.digest))
    assert (gone["Status"], gone["Now"], gone["Local"]) == ("gone", None, "not asked")
    errors = [json.loads(line)["error"] for line in done.stderr.splitlines()]
    assert [(e["code"], e["exit_status"]) for e in errors] == [
        ("tag-moved", 9),
        ("manifest-unknown", 4),
    ]


def test_the_pinned_digest_is_pulled_after_the_tag_moved(
    shell: Shell, name: str, database: str, plain_registry: PlainRegistry
) -> None:
    shell.ok("lock", "add", name, database)
    plain_registry.push_image("octo/app", "1", MOVED)
    assert "no such image" in shell.fails(4, "lock", "check", "--offline", "--local")
    lines = shell.ok("lock", "pull", "--digest-file", "digests")
    assert lines[0] == f"{INDEX.root.digest}: Pulling from octo/app"
    assert f"Status: Downloaded newer image for {name}" in lines
    assert (shell.folder / "digests").read_text().split() == [
        str(INDEX.root.digest),
        str(SINGLE.root.digest),
    ]
    assert shell.ok("images", "--digests", "--format", "{{.Tag}} {{.Digest}}", name) == [
        f"1 {INDEX.root.digest}"
    ]
    plain_registry.log.clear()
    assert shell.ok("lock", "pull", "-q") == [name, database]
    assert shell.ok("lock", "check", "--offline", "--local")[0] == f"{name}: present"
    assert not plain_registry.log
    shell.ok("lock", "pull", "-q", "--platform", "linux/arm64", name)
    assert "not pinned for linux/arm64" in shell.fails(
        4, "lock", "pull", "--platform", "linux/arm64", database
    )
    [pulled] = json.loads("".join(shell.ok("lock", "pull", "--format", "json", database)))
    assert (pulled["Name"], pulled["Updated"]) == (database, False)


def test_a_missing_pin_does_not_stop_the_others(
    shell: Shell, name: str, database: str, plain_registry: PlainRegistry
) -> None:
    shell.ok("lock", "add", name, database)
    plain_registry.backend.delete("octo/app", INDEX.root.digest)
    done = shell.run("lock", "pull", "-q")
    assert (done.returncode, done.stdout) == (4, f"{database}\n")
    before = locked(shell)
    done = shell.run("lock", "update")
    assert (done.returncode, done.stdout) == (4, f"{database}: unchanged\n")
    assert locked(shell) == before


def test_a_pin_is_removed_by_its_repository(shell: Shell, name: str, database: str) -> None:
    shell.ok("lock", "add", "--file", "deploy/my.lock", name, database)
    use = ("--file", "deploy/my.lock")
    repository = name.rpartition(":")[0]
    assert shell.ok("lock", "remove", *use, repository) == [f"{name}: no longer pinned"]
    assert shell.ok("lock", "list", *use, "--format", "{{.Name}}") == [database]
    assert "does not pin" in shell.fails(4, "lock", "remove", *use, repository)
    assert not (shell.folder / "images.lock").exists()


def test_an_invalid_lock_file_is_a_usage_error(shell: Shell) -> None:
    file = shell.folder / "images.lock"
    assert "lock add" in shell.fails(4, "lock", "check")
    for text in ("version = 2\n", "version = 1\n[[image]]\nname = 3\n", "<html>"):
        file.write_text(text)
        for command in ("check", "pull", "list", "update"):
            assert "images.lock" in shell.fails(2, "lock", command)
        assert "images.lock" in shell.fails(2, "lock", "add", "octo/app")
        assert file.read_text() == text


def test_a_check_of_an_empty_file_warns(shell: Shell) -> None:
    (shell.folder / "images.lock").write_text("version = 1\n")
    for command in ("check", "pull"):
        done = shell.run("lock", command)
        assert (done.returncode, done.stderr) == (0, "warning: images.lock has no pins\n")


def test_names_that_several_processes_add_at_once_are_all_there(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    names = []
    for number in range(6):
        plain_registry.push_image(f"octo/app-{number}", "1", SINGLE)
        names.append(f"{plain_registry.host}/octo/app-{number}:1")
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "ghcrctl", "lock", "add", one],
            env=shell.environ,
            cwd=shell.folder,
            stdout=subprocess.DEVNULL,
        )
        for one in names
    ]
    assert [process.wait(60) for process in running] == [0] * len(names)
    assert shell.ok("lock", "list", "--format", "{{.Name}}") == names
    assert [p.name for p in shell.folder.glob("*images.lock*")] == ["images.lock"]
    assert name not in locked(shell)
