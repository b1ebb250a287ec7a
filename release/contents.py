"""ghcrctl and its locked libraries as a directory, and reproducible archives of directories."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.programs.finder import Finder, ProgramNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "release/requirements.txt"
BUILD_LOCK = ROOT / "release/build-requirements.txt"
_KEPT_METADATA = re.compile(r"METADATA|entry_points\.txt|licenses|LICEN[CS]E.*|COPYING.*|NOTICE.*")


def program(name: str) -> str:
    """Return the absolute path of a program.

    Raises:
        ProgramNotFoundError: no absolute directory of the PATH has the program.
    """
    return Finder(os.environ).find(name)


def git(*arguments: str) -> str:
    """Return the output of git in this checkout, or an empty string if git fails."""
    try:
        command = [program("git"), "-C", str(ROOT), *arguments]
    except ProgramNotFoundError:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def set_source_date() -> int:
    """Set SOURCE_DATE_EPOCH to the time of the commit unless it is set; return its value."""
    # Without git, 1980-01-01: zip archives cannot store earlier times.
    os.environ.setdefault("SOURCE_DATE_EPOCH", git("log", "-1", "--format=%ct") or "315532800")
    return int(os.environ["SOURCE_DATE_EPOCH"])


def install(site: Path, *target: str) -> None:
    """Install ghcrctl from this checkout and its locked libraries.

    Args:
        site: an empty directory.
        target: options of ``uv pip install`` that select another Python or system.
    """
    locked = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement")
    uv_install(site, *target, *locked, str(LOCK))
    with tempfile.TemporaryDirectory() as folder:
        backend = Path(folder) / "backend"
        uv_install(backend, "--no-deps", "--require-hashes", "--requirement", str(BUILD_LOCK))
        uv_install(site, "--no-deps", str(hatch("wheel", ROOT, Path(folder), backend)))
    for unused in ("bin", "share"):
        shutil.rmtree(site / unused, ignore_errors=True)
    (site / ".lock").unlink(missing_ok=True)
    _strip(site)
    _drop_records(site)


def hatch(target: str, source: Path, folder: Path, backend: Path) -> Path:
    """Build a distribution; return its path.

    Args:
        target: ``sdist`` or ``wheel``.
        source: the source tree.
        folder: directory of the distribution.
        backend: directory of the build backend.
    """
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", folder],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(backend)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    (found,) = folder.glob({"sdist": "*.tar.gz", "wheel": "*.whl"}[target])
    return found


def uv_install(site: Path, *arguments: str) -> None:
    """Install packages into a directory."""
    # Copies, because installed files are changed: links would change the cache.
    how = ("--python", sys.executable, "--link-mode", "copy", "--target", str(site))
    uv("pip", "install", *how, *arguments)


def uv(*arguments: str, stdin: str = "") -> None:
    """Run uv in this checkout."""
    from uv import find_uv_bin

    subprocess.run(
        [find_uv_bin(), "--quiet", *arguments],
        cwd=ROOT,
        # A company's own certificates are in the system's store; the variable was renamed.
        env={**os.environ, "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"},
        input=stdin,
        text=True,
        check=True,
    )


def _strip(site: Path) -> None:
    """Strip debug symbols from Linux libraries, if strip is installed."""
    libraries = [str(path) for path in sorted(site.rglob("*.so"))]
    if sys.platform != "linux" or not libraries:
        return
    try:
        command = [program("strip"), "--strip-debug", *libraries]
    except ProgramNotFoundError:
        return
    subprocess.run(command, check=True)


def _drop_records(site: Path) -> None:
    """Delete metadata that differs from one installation to the next."""
    for folder in site.glob("*.dist-info"):
        for path in folder.iterdir():
            if path.is_dir() and path.name != "licenses":
                shutil.rmtree(path)
            elif not _KEPT_METADATA.fullmatch(path.name):
                path.unlink()


def compile_all(folder: Path, interpreter: Path, environ: Mapping[str, str]) -> None:
    """Compile all modules reproducibly, so that nothing is compiled at start-up.

    Args:
        folder: directory of the modules.
        interpreter: the Python that will run the modules.
        environ: variables that the interpreter needs on this machine.
    """
    subprocess.run(
        [
            *(str(interpreter), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
            *("-s", str(folder), "-p", "/", str(folder)),
        ],
        # Modules that compileall imports would get bytecode with another invalidation mode.
        env={"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", **environ},
        check=True,
    )


def pack(folder: Path, archive: Path, *, epoch: int, owners: Mapping[str, tuple[int, int]]) -> None:
    """Write a directory as a reproducible tar archive.

    Args:
        folder: the directory that becomes the root of the archive.
        archive: the file to write.
        epoch: modification time of all files (seconds since 1970).
        owners: user ID and mode of paths that do not belong to root.
    """
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in _walk(folder):
            member = tar.gettarinfo(path, str(path.relative_to(folder)))
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mtime = epoch
            member.mode = 0o755 if member.mode & 0o100 else 0o644
            if member.name in owners:
                member.uid, member.mode = owners[member.name]
                member.gid = member.uid
            if member.isreg():
                with path.open("rb") as file:
                    tar.addfile(member, file)
            else:
                tar.addfile(member)


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)
