"""Ctrl-C, a full disk or an unwritable store keep existing images intact."""

from __future__ import annotations

import ctypes
import json
import resource
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.builders import random_image
from tests.registry_double import Fault
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

OLD, NEW = random_image(1, seed=1), random_image(3, 400_000, seed=2)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def name(shell: Shell, plain_registry: PlainRegistry) -> str:
    """A name with an old local image and a new image at the registry."""
    made = f"{plain_registry.host}/octo/image:1.0"
    plain_registry.push_image("octo/image", "1.0", OLD)
    shell.ok("pull", made)
    plain_registry.push_image("octo/image", "1.0", NEW)
    return made


def digest(shell: Shell, name: str) -> str:
    [shown] = shell.ok("inspect", "-f", "{{index .RepoDigests 0}}", name)
    return shown.partition("@")[2]


def start(
    shell: Shell, *arguments: str, limit: int | None = None, root: bool = True
) -> subprocess.Popen[str]:
    """Start a command.

    Args:
        shell: the shell whose home is used.
        arguments: arguments of the program.
        limit: maximum file size, to simulate a full disk (bytes).
        root: whether root keeps the permission to write everywhere.
    """

    def restrict() -> None:
        if not root:
            # The two capabilities that bypass permissions (capabilities(7), prctl(2)).
            for power in (1, 2):
                ctypes.CDLL(None).prctl(24, power, 0, 0, 0)
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.Popen(
        [sys.executable, "-m", "ghcrctl", *arguments],
        env=shell.environ,
        cwd=shell.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=restrict,  # noqa: PLW1509 no thread of ours holds a lock
    )


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_ctrl_c_ends_a_pull_at_once_and_leaves_the_old_image(
    shell: Shell, plain_registry: PlainRegistry, name: str, times: int
) -> None:
    plain_registry.faults.append(Fault(path_contains="/blobs/", delay=3, times=9))
    process = start(shell, "pull", name)
    while not plain_registry.count("GET", "/manifests/") > 1:
        time.sleep(0.02)
    time.sleep(0.3)
    began = time.monotonic()
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    _, said = process.communicate(timeout=15)
    assert time.monotonic() - began < 2.5
    assert process.returncode == 130
    assert "Traceback" not in said
    plain_registry.faults.clear()
    assert digest(shell, name) == str(OLD.root.digest)
    assert digest_after_pull(shell, name) == str(NEW.root.digest)


def digest_after_pull(shell: Shell, name: str) -> str:
    shell.ok("pull", name)
    return digest(shell, name)


def test_sigterm_ends_a_pull_as_ctrl_c_does(
    shell: Shell, plain_registry: PlainRegistry, name: str
) -> None:
    plain_registry.faults.append(Fault(path_contains="/blobs/", delay=3, times=9))
    process = start(shell, "pull", name)
    while not plain_registry.count("GET", "/manifests/") > 1:
        time.sleep(0.02)
    time.sleep(0.3)
    began = time.monotonic()
    process.terminate()
    _, said = process.communicate(timeout=15)
    assert time.monotonic() - began < 1.5
    assert (process.returncode, said) == (143, "\nterminated\n")
    assert digest(shell, name) == str(OLD.root.digest)


def test_a_command_that_takes_too_long_gives_up(
    shell: Shell, plain_registry: PlainRegistry, name: str
) -> None:
    plain_registry.faults.append(Fault(path_contains="/blobs/", delay=4, times=9))
    began = time.monotonic()
    assert "longer than 1.5 s" in shell.fails(3, "pull", "--timeout", "1.5", name)
    assert time.monotonic() - began < 3.5
    assert digest(shell, name) == str(OLD.root.digest)


# Commands with several requests, in parallel or in sequence.
_SEVERAL = {
    "pull": ("pull", "--format", "json", "NAME", "NAME2"),
    "inspect": ("inspect", "--remote", "--format", "json", "NAME", "NAME2"),
    "digest": ("digest", "--format", "json", "NAME", "NAME2"),
    "exists": ("exists", "--format", "json", "NAME", "NAME2"),
    "outdated": ("outdated", "--format", "json"),
    "tags": ("tags", "-l", "--format", "json", "REPOSITORY"),
    "lock add": ("lock", "add", "--format", "json", "NAME", "NAME2"),
}


def named(arguments: tuple[str, ...], name: str) -> list[str]:
    """Fill in the names of two images and of their repository."""
    names = {"NAME": name, "NAME2": f"{name}-2", "REPOSITORY": name.rpartition(":")[0]}
    return [names.get(each, each) for each in arguments]


@pytest.mark.parametrize("arguments", _SEVERAL.values(), ids=_SEVERAL)
def test_time_that_is_over_ends_all_of_several(
    shell: Shell, plain_registry: PlainRegistry, name: str, arguments: tuple[str, ...]
) -> None:
    plain_registry.push_image("octo/image", "1.0-2", NEW)
    plain_registry.faults.append(Fault(path_contains="/manifests/", delay=6, times=9))
    began = time.monotonic()
    done = shell.run(*named(arguments, name), "--timeout", "1.5")
    assert time.monotonic() - began < 4.5
    assert done.returncode == 3
    [line] = done.stderr.splitlines()
    assert json.loads(line)["error"]["message"] == "the command took longer than 1.5 s"


@pytest.mark.parametrize("arguments", _SEVERAL.values(), ids=_SEVERAL)
def test_ctrl_c_ends_all_transfers_and_is_one_line_of_json(
    shell: Shell, plain_registry: PlainRegistry, name: str, arguments: tuple[str, ...]
) -> None:
    plain_registry.push_image("octo/image", "1.0-2", NEW)
    fault = Fault(path_contains="/manifests/", delay=6, times=9)
    plain_registry.faults.append(fault)
    process = start(shell, *named(arguments, name))
    until = time.monotonic() + 10
    while fault.times == 9:
        assert time.monotonic() < until
        time.sleep(0.02)
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    told, said = process.communicate(timeout=15)
    assert time.monotonic() - began < 2.5
    assert (process.returncode, told) in {(130, ""), (130, "[]\n")}
    assert said == (
        '{"error":{"code":"interrupted","message":"interrupted","hint":null,"exit_status":130}}\n'
    )


@pytest.mark.parametrize(
    "option",
    ["--jobs=0", "--retries=-1", "--timeout=x", "--stall-timeout=0", "--connect-timeout=0"],
)
def test_limits_that_are_none_are_refused(shell: Shell, name: str, option: str) -> None:
    assert option.partition("=")[0] in shell.fails(2, "pull", option, name)


def test_a_full_disk_is_reported_and_unchanged(
    shell: Shell, plain_registry: PlainRegistry, name: str
) -> None:
    before = plain_registry.count()
    process = start(shell, "pull", name, limit=100_000)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 8, said
    assert said.startswith("error: ")
    assert "hint: free some space" in said
    assert plain_registry.count() > before
    assert digest(shell, name) == str(OLD.root.digest)
    partial = shell.folder / "store" / "ghcrctl" / "partial"
    # The download that did not fit is deleted. Others may resume with the next pull.
    assert all(path.stat().st_size < 100_000 for path in partial.iterdir())
    assert digest_after_pull(shell, name) == str(NEW.root.digest)


def test_a_push_that_is_interrupted_moves_no_tag(
    shell: Shell, plain_registry: PlainRegistry, name: str
) -> None:
    other = name.replace("1.0", "2.0")
    shell.ok("tag", name, other)
    plain_registry.faults.append(Fault(method="PUT", delay=3, times=9))
    process = start(shell, "push", other)
    while not plain_registry.count("POST"):
        time.sleep(0.02)
        if process.poll() is not None or plain_registry.count("HEAD"):
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=15)
    assert process.returncode == 130, said
    assert plain_registry.backend.tags("octo/image") == ["1.0"]


def test_a_store_that_may_not_be_written_is_read_all_the_same(shell: Shell, name: str) -> None:
    paths = [shell.folder / "store", *(shell.folder / "store").rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for arguments, status, words in (
        (("pull", name), 8, "check the permissions"),
        (("rmi", name), 8, "check the permissions"),
        (("images", "-q"), 0, ""),
    ):
        process = start(shell, *arguments, root=False)
        _, said = process.communicate(timeout=30)
        assert process.returncode == status, said
        assert words in said
    for path in paths:
        path.chmod(0o755)
    assert digest(shell, name) == str(OLD.root.digest)
