"""Build the image of ghcrctl, with ghcrctl: ``make image``.

The base is a root file system of Debian's Python packages, or an image of your choice
(``BASE=docker.io/library/python:3.13-slim``). A layer with ghcrctl goes on top. The same commit,
Debian packages and binutils give the same digest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl import __version__
from release.contents import compile_all, git, install, pack, set_source_date
from release.debian import NoPackagesError, make_root
from release.repository import project

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = 65532
_HOME = "home/ghcrctl"
_PYTHON = "docker.io/library/python:3.13-slim"
_OWNERS = {_HOME: (USER, 0o1777), "tmp": (0, 0o1777)}
_PROGRAM = """#!{python} -I
import sys

sys.path.insert(0, "/opt/ghcrctl")

from ghcrctl.cli.main import main

main()
"""


def main() -> None:
    """Build the image; print its name, digest and size."""
    given = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        try:
            build = _ImageBuild(Path(folder), given.base, given.python)
        except NoPackagesError as error:
            sys.exit(f"error: {error}\nhint: choose another base: make image BASE={_PYTHON}")
        build.run(given.tag)
    (image,) = json.loads(_ghcrctl("inspect", given.tag))
    print(f"{given.tag} {image['Descriptor']['digest']} {image['Size'] / 1e6:.1f}MB")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make image", description=__doc__)
    parser.add_argument("--tag", default=f"ghcrctl:{__version__}", help="name of the image")
    parser.add_argument("--base", default="", help="base image (default: Debian's packages)")
    parser.add_argument("--python", default="/usr/local/bin/python3", help="Python of the base")
    return parser.parse_args()


class _ImageBuild:
    """One build of the image.

    Args:
        folder: directory for temporary files.
        base: name of the base image; empty for Debian's packages.
        python: path of Python in the base image.
    """

    def __init__(self, folder: Path, base: str, python: str) -> None:
        self._folder = folder
        self._epoch = set_source_date()
        self._base, self._python = base, python
        self._root = folder / "root"
        self._version = _version_in(base) if base else self._make_base()

    def _make_base(self) -> str:
        """Create the root file system of Debian's packages; return its version of Python."""
        aside = self._folder / "packages"
        aside.mkdir()
        self._root.mkdir()
        version = make_root(self._root, aside)
        self._python = "/usr/bin/python3"
        self._compile(self._root / "usr/lib" / f"python{version}")
        return version

    def _compile(self, folder: Path) -> None:
        """Compile modules, if a Python of the image's version runs on this machine."""
        if not self._base:
            libraries = [self._root / "lib", self._root / "usr/lib"]
            triplets = [path for place in libraries for path in place.glob("*-linux-gnu")]
            environ = {
                "LD_LIBRARY_PATH": ":".join(map(str, triplets)),
                "PYTHONHOME": str(self._root / "usr"),
            }
            compile_all(folder, self._root / "usr/bin/python3", environ)
        elif self._version == ".".join(map(str, sys.version_info[:2])):
            compile_all(folder, Path(sys.executable), {})

    def run(self, name: str) -> None:
        """Build the image from both layers."""
        above = self._folder / "ghcrctl.tar"
        self._pack_ghcrctl(above)
        changes = [word for change in _changes() for word in ("--change", change)]
        with self._local_base() as base:
            local = () if self._base else ("--local",)
            config = (*changes, "-m", f"ghcrctl {__version__}")
            # `append` pushes an image whose name has a registry.
            built = f"ghcrctl-built:{os.getpid()}"
            _ghcrctl("append", *local, "--base", base, *config, built, str(above))
        _ghcrctl("tag", built, name)
        _ghcrctl("rmi", built)

    @contextmanager
    def _local_base(self) -> Iterator[str]:
        """Yield the name of the base image; a base that was built here is deleted afterwards."""
        if self._base:
            yield self._base
            return
        (self._root / "tmp").mkdir()
        archive = self._folder / "root.tar"
        pack(self._root, archive, epoch=self._epoch, owners=_OWNERS)
        name = f"ghcrctl-base:{os.getpid()}"
        _ghcrctl("import", "-m", "Python from Debian's packages", str(archive), name)
        try:
            yield name
        finally:
            _ghcrctl("rmi", name)

    def _pack_ghcrctl(self, archive: Path) -> None:
        tree = self._folder / "tree"
        site = tree / "opt/ghcrctl"
        site.mkdir(parents=True)
        target = f"{platform.machine()}-manylinux_2_28"
        install(site, "--python-version", self._version, "--python-platform", target)
        self._compile(site)
        program = tree / "usr/local/bin/ghcrctl"
        program.parent.mkdir(parents=True)
        program.write_text(_PROGRAM.format(python=self._python), encoding="ascii")
        program.chmod(0o755)
        (tree / _HOME).mkdir(parents=True)
        pack(tree, archive, epoch=self._epoch, owners=_OWNERS)


def _version_in(base: str) -> str:
    """Return the Python version of a base image, which official images have in a variable."""
    (image,) = json.loads(_ghcrctl("inspect", "--remote", base))
    for variable in image["Config"].get("Env") or ():
        found = re.match(r"PYTHON_VERSION=(\d+\.\d+)", variable)
        if found:
            return found.group(1)
    sys.exit(f"error: {base} has no variable PYTHON_VERSION, as the official Python images have")


def _changes() -> list[str]:
    """Return the changes to the image's config."""
    labels = {
        "title": "ghcrctl",
        "description": project()["description"],
        "version": __version__,
        "licenses": "Apache-2.0",
        "revision": git("rev-parse", "HEAD"),
        "source": project()["urls"]["Repository"],
    }
    used = [
        f"LABEL org.opencontainers.image.{name}={shlex.quote(text)}"
        for name, text in labels.items()
        if text
    ]
    return [
        f"USER {USER}:{USER}",
        f"WORKDIR /{_HOME}",
        f"ENV PATH=/usr/local/bin:/usr/bin:/bin HOME=/{_HOME} LANG=C.UTF-8 GHCRCTL_KEYRING=0",
        'ENTRYPOINT ["/usr/local/bin/ghcrctl"]',
        'CMD ["--help"]',
        *used,
    ]


def _ghcrctl(*arguments: str) -> str:
    command = [sys.executable, "-m", "ghcrctl", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


if __name__ == "__main__":
    main()
