"""ghcrctl with the libraries that it needs, as files for a Python that is elsewhere.

What belongs here: installing them into a directory the same way each time, and packing a directory
the same way each time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
# Where there is no keyring it is of no use, and it brings a library of ciphers.
_LEFT_OUT = "keyring"
_KEPT_OF_RECORDS = re.compile(
    r"METADATA|entry_points\.txt|licenses|LICEN[CS]E.*|COPYING.*|NOTICE.*"
)


def git(*arguments: str) -> str:
    """Return what git says of this checkout; nothing where it is none."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def date_by_commit() -> int:
    """Let everything that is made have the time of the commit, unless the environment has one."""
    # The first time that an archive of zip can have.
    os.environ.setdefault("SOURCE_DATE_EPOCH", git("log", "-1", "--format=%ct") or "315532800")
    return int(os.environ["SOURCE_DATE_EPOCH"])


def install(site: Path, *, python: str, machine: str) -> None:
    """Install ghcrctl from this checkout, and its libraries, for a version of Python on Linux.

    Args:
        site: an empty directory.
        python: ``3.11``.
        machine: as ``uname -m`` has it.
    """
    _pip(site, "--no-deps", str(ROOT))
    platforms = [
        f"{name}_{machine}" for name in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
    ]
    wanted = [word for name in platforms for word in ("--platform", name)]
    wanted += ["--python-version", python, "--implementation", "cp", "--only-binary", ":all:"]
    _pip(site, *wanted, *_requirements(site, python))
    for unused in ("bin", "share"):
        shutil.rmtree(site / unused, ignore_errors=True)
    _slim(site)
    # Where and how it was installed differs from time to time, and is nobody's business.
    for record in site.glob("*.dist-info"):
        for path in record.iterdir():
            if path.is_dir() and path.name != "licenses":
                shutil.rmtree(path)
            elif not _KEPT_OF_RECORDS.fullmatch(path.name):
                path.unlink()


def _slim(site: Path) -> None:
    """Strip debug symbols from libraries."""
    if shutil.which("strip"):
        libraries = map(str, sorted(site.rglob("*.so")))
        subprocess.run(["strip", "--strip-debug", *libraries], check=True)


def _pip(site: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run(
        [*command, "--no-compile", "--upgrade", "--target", str(site), *arguments], check=True
    )


def _requirements(site: Path, python: str) -> list[str]:
    """Return what ghcrctl requires there, as its own record says."""
    (record,) = site.glob("ghcrctl-*.dist-info")
    lines = (record / "METADATA").read_text(encoding="utf-8").splitlines()
    required = [line.removeprefix("Requires-Dist: ") for line in lines if "Requires-Dist" in line]
    old = tuple(map(int, python.split("."))) < (3, 11)
    return [
        line.partition(";")[0]
        for line in required
        if "extra ==" not in line
        and not line.startswith(_LEFT_OUT)
        and (old or "python_version" not in line)
    ]


def compile_all(folder: Path, interpreter: Path, environ: Mapping[str, str]) -> None:
    """Compile all modules, so that nothing is compiled at each start; the same each time.

    Args:
        folder: where the modules are.
        interpreter: the one that will run them.
        environ: what it needs to run here.
    """
    subprocess.run(
        [
            *(str(interpreter), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
            *("-s", str(folder), "-p", "/", str(folder)),
        ],
        # What it only imports itself would be compiled in another way.
        env={"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", **environ},
        check=True,
    )


def pack(folder: Path, archive: Path, *, epoch: int, owners: Mapping[str, tuple[int, int]]) -> None:
    """Write a directory as a tar archive that depends on its files only.

    Args:
        folder: what becomes the root of the archive.
        archive: the file to write.
        epoch: seconds; the time of all files.
        owners: user id and mode of paths that are not root's.
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
