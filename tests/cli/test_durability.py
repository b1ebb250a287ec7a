"""What commands wrote survives a power failure, and a failing disk leaves no partial file."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.builders import random_image
from tests.disk_faults import ERRORS, STEPS
from tests.registry_double import PlainRegistry
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="only Linux tells the path of an open file"
)

ROOT = Path(__file__).parents[2]
IMAGE = random_image(2, 50_000, seed=71)
_RECORD = """
import sys
from pathlib import Path
from tests.disk_record import DiskRecord
record = DiskRecord(Path(sys.argv.pop(1)))
from ghcrctl.cli.main import main
status = 0
with record.watching():
    try:
        main(sys.argv[1:])
    except SystemExit as end:
        status = end.code
sys.exit(status)
"""
_BREAK = """
import sys
from tests.disk_faults import break_disk
step, number, fragment = sys.argv[1:4]
from ghcrctl.cli.main import main
break_disk(setattr, step, int(number), fragment)
main(sys.argv[4:])
"""
# Each command with a part of the path that it writes.
COMMANDS = {
    ("save", "hello", "-o", "out.tar"): "out.tar",
    ("save", "hello", "--format", "docker", "-o", "out.tar"): "out.tar",
    ("save", "hello", "--compress", "gzip", "-o", "out.tar"): "out.tar",
    ("save", "hello", "--format", "oci-dir", "-o", "new/out"): "new/out/",
    ("export", "hello", "-o", "out.tar"): "out.tar",
    ("copy", "hello", "oci:new/out"): "new/out/",
    ("copy", "hello", "archive:out.tar"): "out.tar",
    ("import", "../rootfs.tar", "other", "--digest-file", "digest"): "digest",
    ("lock", "add", "NAME"): "images.lock",
    ("lock", "add", "NAME", "--file", "new/pins.lock.toml"): "pins.lock.toml",
    ("completion", "bash", "--install"): "completions/",
    ("artifact", "pull", "TOOL", "--to", "new/tool"): "new/tool",
    ("manifest", "create", "HOST/octo/list:1", "NAME"): "ghcrctl/manifests/",
    ("login", "HOST", "-u", "octo", "-p", "secret"): "config/",
    ("pull", "-q", "NAME"): "sha256",
    ("tag", "hello", "other:1"): "index.json",
    ("rmi", "hello"): "index.json",
    ("import", "../rootfs.tar", "other"): "index.json",
    ("convert", "hello", "-t", "other", "--compress", "zstd"): "index.json",
}


@pytest.fixture(scope="module")
def registry() -> Iterator[PlainRegistry]:
    with PlainRegistry() as registry:
        registry.push_image("octo/image", "1", IMAGE)
        yield registry


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, registry: PlainRegistry) -> Path:
    """Create a home with an image, which tests copy."""
    folder = tmp_path_factory.mktemp("template")
    with tarfile.open(folder / "rootfs.tar", "w") as archive:
        archive.add(__file__, "hello")
    shell = Shell(folder / "home")
    shell.ok("import", "../rootfs.tar", "hello")
    (shell.folder / "tool").write_bytes(b"tool" * 1000)
    name = f"{registry.host}/octo/tool:1"
    shell.ok("artifact", "push", name, "--type", "a/b", "tool")
    return folder


@pytest.fixture
def shell(tmp_path: Path, template: Path) -> Shell:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    shell = Shell(tmp_path / "home")
    shell.environ["PYTHONPATH"] = str(ROOT)
    return shell


def _run(
    shell: Shell, host: str, script: list[str], command: tuple[str, ...]
) -> subprocess.CompletedProcess[str]:
    known = {"NAME": f"{host}/octo/image:1", "TOOL": f"{host}/octo/tool:1", "HOST": host}
    words = [known.get(word, word.replace("HOST", host)) for word in command]
    return subprocess.run(
        [sys.executable, "-c", *script, *words],
        env=shell.environ,
        cwd=shell.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_written_files_are_durable(
    shell: Shell, registry: PlainRegistry, command: tuple[str, ...]
) -> None:
    script = [_RECORD, str(shell.folder)]
    done = _run(shell, registry.host, script, command)
    assert done.returncode == 0, done.stderr
    if command[0] in {"save", "export", "lock", "artifact", "login"}:
        # Run again, replacing the existing file.
        shell.ok("tag", "hello", "again")
        done = _run(shell, registry.host, script, command)
        assert "not durable" not in done.stderr
        assert "before it was synced" not in done.stderr


def _files(shell: Shell) -> dict[str, bytes]:
    """Return the files that a failed command must not change or add."""
    left_out = {".cache", "partial", "leases", "spare", "verified"}
    return {
        str(path.relative_to(shell.folder)): path.read_bytes()
        for path in sorted(shell.folder.rglob("*"))
        if path.is_file()
        and not left_out & set(path.parts)
        and path.suffix != ".lock"
        and path.name != "lock"
    }


def _is_whole_blob(name: str, content: bytes) -> bool:
    return Path(name).name == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_disk_that_refuses_leaves_no_half_file(
    shell: Shell, registry: PlainRegistry, command: tuple[str, ...], step: str
) -> None:
    # Each command gets some errors, and each error some commands.
    number = ERRORS[(list(COMMANDS).index(command) + STEPS.index(step)) % len(ERRORS)]
    before = _files(shell)
    script = [_BREAK, step, str(number), COMMANDS[command]]
    done = _run(shell, registry.host, script, command)
    assert done.returncode == 8, done.stderr
    assert os.strerror(number) in done.stderr
    assert "Traceback" not in done.stderr
    left = {
        name: content
        for name, content in _files(shell).items()
        if before.get(name) != content and not _is_whole_blob(name, content)
    }
    # Images are imported before the digest is written, and layouts are created empty.
    done_before = {"digest": "store/index.json", "new/out/": "new/out/oci-layout"}
    assert set(left) <= {done_before.get(COMMANDS[command])}
    assert set(before) <= set(_files(shell))
