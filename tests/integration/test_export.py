"""Exported files are the same as those extracted by other tools."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.integration.docker_registry import docker_registry
from tests.integration.engines import buildah, docker
from tests.integration.peers import require_peer, run_peer
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.docker_registry import DockerRegistry
    from tests.integration.engines import Buildah, Docker

__all__ = ["buildah", "docker", "docker_registry"]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.needs("root"),
]

# Each instruction is a layer: whiteouts, an opaque directory, hard links, owners, set-ID bits, a
# directory that replaces a file, a file that replaces a directory, a link to a directory.
_STEPS = [
    "mkdir -p /d/deep /old /swap && echo 1 > /d/a && echo 2 > /d/deep/b && echo 3 > /old/x "
    "&& echo file > /turn && echo s > /swap/s",
    "ln /d/a /d/hard && ln -s deep /d/link && chown 12:34 /d/deep && chmod 4755 /d/a",
    "rm -r /old && mkdir /old && echo new > /old/y",
    "rm /turn && mkdir /turn && echo t > /turn/t && rm -r /swap && echo swap > /swap",
    "rm /d/deep/b && echo more >> /d/link/c && touch /d/é && mkfifo /d/pipe && chmod 1777 /d/deep",
    "dd if=/dev/zero of=/big bs=1024 count=3000 2>/dev/null && ln /big /d/big2",
]
# Files that engines create in the file system of a container.
_ENGINES_OWN = {"dev", "proc", "sys", "run", ".dockerenv"} | {
    f"etc/{name}" for name in ("hosts", "hostname", "resolv.conf", "mtab")
}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "busybox").write_bytes(_read(require_peer("busybox")))
    (folder / "busybox").chmod(0o755)
    steps = "".join(f'RUN ["/bin/busybox", "sh", "-c", "{_in_box(step)}"]\n' for step in _STEPS)
    (folder / "Dockerfile").write_text(f"FROM scratch\nCOPY busybox /bin/busybox\n{steps}")
    return folder


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 a path as text
        return file.read()


def _in_box(step: str) -> str:
    """Return a step for a shell without other programs."""
    words = {"mkdir", "ln", "chown", "chmod", "rm", "touch", "mkfifo", "dd"}
    return " ".join(f"/bin/busybox {word}" if word in words else word for word in step.split())


Facts = tuple[str, int, tuple[int, int], int, str]


def archived(path: Path) -> dict[str, Facts]:
    """List an archive: kind, mode, owners, size, and the digest of the content or the target."""
    found: dict[str, Facts] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name.removeprefix("./").rstrip("/")
            first = archive.getmember(member.linkname) if member.islnk() else member
            content = archive.extractfile(first) if first.isreg() else None
            output = hashlib.sha256(content.read()).hexdigest() if content else first.linkname
            kind = "d" if first.isdir() else "l" if first.issym() else "f" if content else "p"
            found[name] = (kind, first.mode & 0o7777, (first.uid, first.gid), first.size, output)
    return without_own(found)


def on_disk(root: Path) -> dict[str, Facts]:
    """List a directory in the same format."""
    found: dict[str, Facts] = {}
    for path in root.rglob("*"):
        of = path.lstat()
        kind = {stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFREG: "f"}.get(
            stat.S_IFMT(of.st_mode), "p"
        )
        output = hashlib.sha256(path.read_bytes()).hexdigest() if kind == "f" else ""
        output = os.readlink(path) if kind == "l" else output  # noqa: PTH115 as it is
        size = of.st_size if kind == "f" else 0
        name = str(path.relative_to(root))
        found[name] = (kind, stat.S_IMODE(of.st_mode), (of.st_uid, of.st_gid), size, output)
    return without_own(found)


def without_own(found: dict[str, Facts]) -> dict[str, Facts]:
    return {
        name: facts
        for name, facts in found.items()
        if name not in {"", ".", "etc", *_ENGINES_OWN} and name.split("/")[0] not in _ENGINES_OWN
    }


def exported(shell: Shell, name: str, folder: Path) -> dict[str, Facts]:
    """Export an image in all formats, which must agree, and list its files."""
    shell.ok("pull", name)
    shell.ok("export", "-o", str(folder / "ours.tar"), name)
    shell.ok("export", "--remote", "-o", str(folder / "remote.tar"), name)
    assert (folder / "ours.tar").read_bytes() == (folder / "remote.tar").read_bytes()
    shell.ok("export", "--to", str(folder / "ours"), name)
    ours = archived(folder / "ours.tar")
    assert on_disk(folder / "ours") == ours
    return ours


def test_docker_exports_the_same_files(
    shell: Shell, docker: Docker, docker_registry: DockerRegistry, context: Path, tmp_path: Path
) -> None:
    name = f"{docker_registry.host}/octo/built:1"
    docker.run("build", "-q", "--network", "none", "-t", name, str(context))
    docker.run("push", name)
    container = docker.run("create", "--network", "none", name, "none").strip()
    docker.run("export", "-o", str(tmp_path / "theirs.tar"), container)
    docker.run("rm", container)
    docker.run("rmi", "-f", name)
    ours = exported(shell, name, tmp_path)
    assert ours == archived(tmp_path / "theirs.tar")
    assert "old/x" not in ours
    assert ours["d/a"] == ours["d/hard"]


def test_umoci_unpacks_the_same_files(
    shell: Shell, buildah: Buildah, docker_registry: DockerRegistry, context: Path, tmp_path: Path
) -> None:
    name = f"{docker_registry.host}/octo/built:2"
    buildah.run(
        *("build", "--layers", "--isolation", "chroot", "--network", "host"),
        *("-t", "built", str(context)),
    )
    buildah.run("push", "--tls-verify=false", "--format", "oci", "built", name)
    ours = exported(shell, name, tmp_path)
    run_peer(
        *("skopeo", "copy", "--src-tls-verify=false", f"docker://{name}"),
        f"oci:{tmp_path / 'layout'}:1",
    )
    run_peer("umoci", "unpack", "--image", f"{tmp_path / 'layout'}:1", str(tmp_path / "bundle"))
    assert ours == on_disk(tmp_path / "bundle" / "rootfs")
    assert len(shell.ok("ls", "-R", name)) == len(list((tmp_path / "ours").rglob("*")))


@pytest.mark.parametrize(
    "options",
    [
        ["--format=gnu", "--sparse"],
        ["--format=posix", "--sparse", "--sparse-version=0.0"],
        ["--format=posix", "--sparse", "--sparse-version=0.1"],
        ["--format=posix", "--sparse", "--sparse-version=1.0"],
        ["--format=v7"],
        ["--format=ustar"],
        ["--format=posix", "--xattrs"],
    ],
)
def test_archive_of_gnu_tar_is_exported_unchanged(
    shell: Shell, tmp_path: Path, options: list[str]
) -> None:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "file").write_text("content")
    os.link(tree / "sub" / "file", tree / "hard")
    (tree / "link").symlink_to("sub/file")
    with (tree / "sparse").open("wb") as file:
        for number in range(40):
            file.seek(number * 100_000)
            file.write(b"%d" % number)
        file.truncate(5_000_000)
    run_peer("tar", *options, "-C", str(tree), "-cf", str(tmp_path / "tree.tar"), ".")
    shell.ok("import", str(tmp_path / "tree.tar"), "hello")
    shell.ok("export", "--to", str(tmp_path / "out"), "hello")
    assert on_disk(tmp_path / "out") == on_disk(tree)
    assert (tmp_path / "out" / "sparse").stat().st_size == 5_000_000
