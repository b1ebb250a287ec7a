"""A system without free threads, memory or open files."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

from ghcrctl.content.exhausted_resources import exhausted
from ghcrctl.registry.transport_errors import translate
from tests.shell import Shell
from tests.zstd import zstd

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

pytestmark = pytest.mark.needs("limits")

# Limits the number of threads.
_THREADS = """
import sys, threading
left = int(sys.argv.pop(1))
start = threading.Thread.start
def limited(self):
    global left
    if left <= 0:
        raise RuntimeError("can't start new thread")
    left -= 1
    start(self)
threading.Thread.start = limited
from ghcrctl.cli.main import main
main(sys.argv[1:])
"""
# Limits the number of open files and connections.
_FILES = """
import resource, sys
limit = int(sys.argv.pop(1))
from ghcrctl.cli.main import main
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
main(sys.argv[1:])
"""
_MEMORY = """
import sys
import ghcrctl.{module} as module
def hungry(*_, **__):
    raise MemoryError
module.{name} = hungry
from ghcrctl.cli.main import main
main(sys.argv[1:])
"""


def _run(shell: Shell, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=shell.environ,
        cwd=shell.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    assert "this is a bug" not in done.stderr
    return done


@pytest.fixture
def name(shell: Shell, plain_registry: PlainRegistry, archive: str) -> str:
    name = f"{plain_registry.host}/octo/image:1"
    shell.ok("import", archive, name)
    shell.ok("push", "-q", name)
    return name


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


@pytest.mark.parametrize(
    "arguments",
    [
        ("pull", "{}"),
        ("push", "{}"),
        ("copy", "{}", "archive:out.tar"),
        ("save", "{}", "-o", "out.tar"),
        ("save", "{}", "--format", "docker", "-o", "out.tar"),
        ("export", "--remote", "{}", "-o", "out.tar"),
        ("lock", "add", "{}"),
        ("outdated",),
        ("tags", "{}"),
    ],
    ids=" ".join,
)
def test_too_few_threads_are_not_a_bug(shell: Shell, name: str, arguments: tuple[str, ...]) -> None:
    line = [argument.format(name) for argument in arguments]
    if line[0] == "pull":
        shell.ok("rmi", "-f", name)
        shell.ok("prune", "-f")
    if line[0] == "tags":
        line[1] = line[1].removesuffix(":1")
    for count in range(5):
        done = _run(shell, _THREADS, str(count), *line)
        if done.returncode == 0:
            break
        assert done.returncode == 8, done.stderr
        assert "cannot start more threads" in done.stderr
        assert "--jobs 1" in done.stderr
        assert not (shell.folder / "out.tar").exists()
    shell.ok(*line)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "out of memory"),
        (RuntimeError("can't start new thread"), "cannot start more threads"),
        (RuntimeError("can't allocate lock"), "out of memory"),
        (ImportError("libssl.so.3: failed to map segment from shared object"), "out of memory"),
        (
            zstd.ZstdError("Allocation error : not enough memory"),
            "out of memory",
        ),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), "Cannot allocate memory"),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "Too many open files"),
        (NewConnectionError(HTTPConnection("h"), os.strerror(errno.ENOMEM)), "out of memory"),
        (ValueError(MemoryError()), "out of memory"),
    ],
    ids=repr,
)
def test_a_lack_of_resources_is_recognised(error: Exception, reason: str) -> None:
    found = exhausted(error)
    assert found
    assert reason in str(found)
    told = translate(error, "ghcr.io", moving=False)
    assert told.code == "resources-exhausted"


@pytest.mark.parametrize("error", [RuntimeError("x"), OSError(errno.ENOSPC, "full"), KeyError()])
def test_other_errors_are_not(error: Exception) -> None:
    assert exhausted(error) is None


@pytest.mark.parametrize("limit", [8, 10, 12, 16, 24])
def test_too_few_open_files_are_not_a_bug(shell: Shell, name: str, limit: int) -> None:
    shell.ok("rmi", "-f", name)
    done = _run(shell, _FILES, str(limit), "pull", name)
    assert done.returncode in {0, 8}, done.stderr
    if done.returncode:
        assert "Too many open files" in done.stderr
    shell.ok("pull", name)


@pytest.mark.parametrize(
    ("module", "function"),
    [
        ("operations.moving.pull", "pull"),
        ("transfer.execute", "execute"),
        ("oci.manifest", "parse"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--format", "json")])
def test_too_little_memory_is_not_a_bug(
    shell: Shell, name: str, module: str, function: str, options: tuple[str, ...]
) -> None:
    script = _MEMORY.format(module=module, name=function)
    done = _run(shell, script, "pull", *options, name)
    assert done.returncode == 8, done.stderr
    assert "out of memory" in done.stderr
    assert not options or '"resources-exhausted"' in done.stderr
