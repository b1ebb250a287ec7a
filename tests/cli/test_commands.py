"""The main commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli.main import COMMANDS, SECTIONS
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry, RegistryDouble


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_the_main_job(shell: Shell, archive: str, ghcr: RegistryDouble) -> None:
    name = f"{ghcr.host}/octo/hello"
    [image_id] = shell.ok("import", "-c", 'CMD ["/hello"]', archive, "hello_docker")
    assert shell.ok("tag", "hello_docker", f"{name}:1.0") == []
    login = ("login", ghcr.host, "-u", "octo", "--password-stdin")
    assert "rejects" in shell.fails(5, *login, stdin="ghp_wrong\n")
    assert not (shell.folder / "config" / "auth.json").exists()
    assert shell.ok(*login, stdin="ghp_octo\n") == ["Login Succeeded"]
    refers, layer, last = shell.ok("push", f"{name}:1.0")
    assert refers == f"The push refers to repository [{name}]"
    short = layer.removesuffix(": Pushed")
    digest = last.split()[2]
    assert last.startswith(f"1.0: digest: {digest} size: ")
    assert shell.ok("push", f"{name}:1.0")[1] == f"{short}: Layer already exists"
    gone = shell.ok("rmi", "hello_docker", f"{name}:1.0")
    assert gone[:4] == [
        "Untagged: hello_docker:latest",
        f"Untagged: {name}:1.0",
        f"Untagged: {name}@{digest}",
        f"Deleted: {image_id}",
    ]
    assert shell.ok("pull", f"{name}:1.0") == [
        "1.0: Pulling from octo/hello",
        f"{short}: Pull complete",
        f"Digest: {digest}",
        f"Status: Downloaded newer image for {name}:1.0",
        f"{name}:1.0",
    ]
    assert shell.ok("pull", f"{name}:1.0") == [
        "1.0: Pulling from octo/hello",
        f"Digest: {digest}",
        f"Status: Image is up to date for {name}:1.0",
        f"{name}:1.0",
    ]
    assert shell.ok("pull", "-q", f"{name}@{digest}") == [f"{name}@{digest}"]
    [header, row] = shell.ok("images", "--digests")
    assert header.split() == ["REPOSITORY", "TAG", "DIGEST", "IMAGE", "ID", "CREATED", "SIZE"]
    assert row.split()[:3] == [name, "1.0", digest]
    assert shell.ok("images", "-q", "--no-trunc") == [image_id]
    [document] = json.loads("\n".join(shell.ok("inspect", f"{name}:1.0")))
    assert document["Id"] == image_id
    assert document["RepoTags"] == [f"{name}:1.0"]
    assert document["RepoDigests"] == [f"{name}@{digest}"]
    assert document["Config"] == {"Cmd": ["/hello"]}
    remote = shell.ok("inspect", "--remote", "-f", "{{.Id}} {{json .Config.Cmd}}", f"{name}:1.0")
    assert remote == [f'{image_id} ["/hello"]']
    assert shell.ok("history", "-q", "--no-trunc", f"{name}:1.0") == [image_id]
    assert shell.ok("logout", ghcr.host) == [f"Removing login credentials for {ghcr.host}"]
    assert "access denied" in shell.fails(5, "pull", f"{name}:1.0")
    assert shell.ok("logout", "--all") == ["Not logged in to any registry"]


def test_the_same_archive_makes_the_same_image(shell: Shell, archive: str) -> None:
    first = shell.ok("import", archive, "a")
    shell.ok("rmi", "a")
    assert shell.ok("import", archive, "a") == first


@pytest.mark.parametrize(
    ("status", "arguments", "words"),
    [
        (2, ["imges"], "did you mean `images`"),
        (2, ["images", "--digest"], "--digests"),
        (2, ["pull"], "missing argument"),
        (2, ["pull", "ghcr.io/o/i:"], "the tag after `:` is empty"),
        (2, ["pull", "--platform", "linux/amd64", "--all-platforms", "o/i"], "mutually exclusive"),
        (2, ["pull", "-a", "o/i:1"], "--all-tags"),
        (2, ["images", "--format", "{{"], "template"),
        (2, ["images", "--filter", "x=y"], "invalid filter"),
        (2, ["tag", "a", "o/i@sha256:" + "a" * 64], "digest"),
        (2, ["login", "-u", "me", "-p", "x", "--password-stdin"], "mutually exclusive"),
        (2, ["login", "--password-stdin"], "--username"),
        (2, ["login"], "not a terminal"),
        (2, ["login", "-u", "me", "--password-stdin"], "empty"),
        (2, ["login", "noregistry", "-u", "me", "-p", "x"], "noregistry"),
        (2, ["import", "-c", "RUN ls", "{archive}", "x"], "unknown instruction"),
        (3, ["pull", "127.0.0.1:1/o/i"], "refused the connection"),
        (4, ["inspect", "nope"], "no such image: nope"),
        (4, ["rmi", "nope"], "no such image: nope"),
        (4, ["tag", "nope", "x"], "no such image: nope"),
        (4, ["push", "ghcr.io/o/i:1"], "does not exist locally"),
        (4, ["import", "/nowhere.tar", "x"], "no such file"),
        (6, ["import", "-", "x"], "empty"),
        (7, ["pull", "hello"], "local name"),
        (8, ["--store", "/dev/null/store", "images"], "Not a directory"),
    ],
)
def test_every_mistake_has_its_status_and_message(
    shell: Shell, archive: str, status: int, arguments: list[str], words: str
) -> None:
    line = [argument.replace("{archive}", archive) for argument in arguments]
    assert words in shell.fails(status, *line)


def test_a_closed_pipe_prints_no_error(shell: Shell) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "ghcrctl", "images"],
        env=shell.environ,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_password_on_the_command_line_is_warned_of_and_never_shown(
    shell: Shell, plain_registry: PlainRegistry
) -> None:
    done = shell.run("login", plain_registry.host, "-u", "me", "-p", "hunter2", "--debug")
    assert done.returncode == 0
    assert "insecure" in done.stderr
    assert "debug: GET" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


def test_a_damaged_list_is_named_and_kept(shell: Shell, archive: str) -> None:
    shell.ok("import", archive, "a")
    path = shell.folder / "store" / "index.json"
    path.write_text("garbage")
    assert str(path) in shell.fails(8, "images")
    assert path.read_text() == "garbage"


@pytest.mark.parametrize("group", [(), ("packages",)], ids=["program", "group"])
def test_a_group_without_a_command_prints_help_and_succeeds(
    shell: Shell, group: tuple[str, ...]
) -> None:
    alone = shell.run(*group)
    assert (alone.returncode, alone.stderr) == (0, "")
    assert alone.stdout == shell.run(*group, "--help").stdout


@pytest.mark.parametrize("word", ["run", "exec", "ps"])
def test_docker_commands_for_containers_suggest_image_commands(shell: Shell, word: str) -> None:
    message = shell.fails(2, word, "octo/hello")
    assert f"`{word}` is for containers" in message
    assert "ghcrctl export" in message


def test_every_command_has_help_with_examples(shell: Shell) -> None:
    commands = [line.split()[0] for line in shell.ok("--help") if line.startswith("  ")]
    named = [word for word in commands if word.isalpha() and word not in {"Work", "A"}]
    assert {"login", "pull", "push", "images", "serve"} <= set(named)
    for name in ("login", "logout", "pull", "push", "images", "inspect", "tag", "rmi", "history"):
        text = "\n".join(shell.ok(name, "--help"))
        assert f"  ghcrctl {name}" in text


def test_the_store_is_shown_checked_and_cleaned(
    shell: Shell, archive: str, plain_registry: PlainRegistry
) -> None:
    name = f"{plain_registry.host}/octo/hello:1.0"
    shell.ok("import", archive, name)
    shell.ok("push", name)
    shell.ok("import", "-m", "one", archive, "old")
    shell.ok("import", "-m", "another", archive, "old")
    images = shell.ok("df")[1].split()
    assert images[:3] == ["Images", "3", "2"]
    assert len(shell.ok("df", "-v")) == 4
    assert shell.ok("fsck")[-1].endswith("no problems found")
    assert "--force" in shell.fails(7, "prune")
    planned = shell.ok("prune", "--dry-run")
    done = shell.ok("prune", "--force")
    assert [line.split()[-1:] for line in planned] == [line.split()[-1:] for line in done]
    assert shell.ok("df")[1].split()[1:3] == ["2", "2"]
    [layer] = shell.ok("inspect", "-f", "{{.Descriptor.digest}}", name)
    path = shell.folder / "store" / "blobs" / "sha256" / layer.partition(":")[2]
    path.write_bytes(b"damaged")
    broken = shell.run("fsck")
    assert (broken.returncode, broken.stdout.split()[0]) == (6, "damaged:")
    assert "fsck --repair" in broken.stderr
    assert shell.ok("fsck", "--repair")[-1].endswith("no problems found")
    assert (
        shell.ok("prune", "-f", "-a", "--filter", "label=none")[-1] == "Total reclaimed space: 0B"
    )
    assert "invalid filter" in shell.fails(2, "prune", "-f", "--filter", "x=y")


def test_the_list_of_commands_is_divided_and_whole(shell: Shell) -> None:
    shown = shell.ok("--help")
    assert [line for line in shown if line.endswith(":")] == [
        "Options:",
        *(f"{title}:" for title in SECTIONS.values()),
    ]
    listed = [line.split()[0] for line in shown[shown.index("Registries:") :] if line[:2] == "  "]
    assert listed == list(COMMANDS)
