"""A minimal root file system with Python from Debian's packages.

It uses the packages of the machine that builds it, which must be Debian or a derivative.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from ghcrctl.programs.finder import ProgramNotFoundError
from release.contents import program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Dependencies of Python's packages. Others belong to modules that ghcrctl does not use.
_LIBRARIES = re.compile(
    r"libc6|libcrypt1|libgcc-s1|libssl3(t64)?|libffi8|libexpat1|libbz2-1\.0|liblzma5|libuuid1|zlib1g"
)
_OTHERS = ("ca-certificates", "busybox-static")
# Documentation, menus, scripts, and the C library's tables for old encodings.
_UNUSED = (
    "etc/python*",
    "usr/sbin",
    "usr/share/[!dc]*",
    "usr/lib/*/gconv",
    "usr/lib/*/audit",
    "usr/lib/*/engines-3",
    "usr/lib/*/ossl-modules",
)
_UNUSED_MODULES = (
    "curses",
    "distutils",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "pydoc_data",
    "sqlite3",
    "turtle*",
    "wsgiref",
    "lib-dynload/_curses*",
    "lib-dynload/_dbm*",
    "lib-dynload/_gdbm*",
    "lib-dynload/_sqlite3*",
    "lib-dynload/_test*",
    "lib-dynload/_xx*",
    "lib-dynload/nis*",
    "lib-dynload/readline*",
)
_USERS = "root:x:0:0:root:/root:/bin/sh\nghcrctl:x:65532:65532:ghcrctl:/home/ghcrctl:/bin/sh\n"
_GROUPS = "root:x:0:\nghcrctl:x:65532:\n"


class NoPackagesError(Exception):
    """Debian's packages are not available."""


def make_root(root: Path, aside: Path) -> str:
    """Create the root file system; return its version of Python, such as ``3.11``.

    Args:
        root: an empty directory.
        aside: a directory for the packages.

    Raises:
        NoPackagesError: apt is missing, or the packages cannot be downloaded.
    """
    version = _python_version()
    names = [f"python{version}-minimal", f"libpython{version}-stdlib"]
    for package in _fetch([*names, *_libraries(names), *_OTHERS], aside):
        _run(["dpkg-deb", "--extract", str(package), str(root)])
    _drop(root)
    _finish(root, version)
    return version


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    try:
        path = command[0] if "/" in command[0] else program(command[0])
    except ProgramNotFoundError as error:
        raise NoPackagesError(f"cannot use Debian's packages: {error}") from None
    done = subprocess.run(
        [path, *command[1:]], cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NoPackagesError(f"{' '.join(command[:3])}: {done.stderr.strip()[-500:]}")
    return done.stdout


def _python_version() -> str:
    found = re.search(r"python(3\.\d+)-minimal", _run(["apt-cache", "show", "python3-minimal"]))
    if found is None:
        raise NoPackagesError("package python3-minimal not found: run apt-get update")
    return found.group(1)


def _libraries(names: Sequence[str]) -> list[str]:
    """Return the libraries that packages depend on, directly or indirectly."""
    listed = _run(["apt-cache", "depends", "--important", "--recurse", *names])
    return sorted({line for line in listed.splitlines() if _LIBRARIES.fullmatch(line)})


def _fetch(names: Sequence[str], aside: Path) -> list[Path]:
    wanted = sorted(set(names) | {name.replace("-stdlib", "-minimal") for name in names})
    _run(["apt-get", "download", "--quiet", "-o", "APT::Sandbox::User=root", *wanted], cwd=aside)
    return sorted(aside.glob("*.deb"))


def _drop(root: Path) -> None:
    for pattern in (*_UNUSED, *(f"usr/lib/python3.*/{name}" for name in _UNUSED_MODULES)):
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    # Licenses stay.
    for path in (root / "usr/share/doc").glob("*/*"):
        if path.name != "copyright" and path.is_file():
            path.unlink()


def _finish(root: Path, version: str) -> None:
    """Create what the installation scripts of the packages create, and a user without root."""
    certificates = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("".join(path.read_text() for path in certificates), encoding="ascii")
    shutil.rmtree(root / "usr/share/ca-certificates")
    # The default path of OpenSSL.
    (root / "usr/lib/ssl").mkdir(exist_ok=True)
    (root / "usr/lib/ssl/cert.pem").symlink_to("/etc/ssl/certs/ca-certificates.crt")
    (root / "usr/bin/python3").symlink_to(f"python{version}")
    (root / "etc/passwd").write_text(_USERS, encoding="ascii")
    (root / "etc/group").write_text(_GROUPS, encoding="ascii")
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n", encoding="ascii")
    # CI systems run shell scripts in the image.
    for applet in _run([str(root / "bin/busybox"), "--list"]).split():
        if not (root / "bin" / applet).exists():
            (root / "bin" / applet).symlink_to("busybox")
