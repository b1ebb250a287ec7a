"""Write the hash-locked requirements: ``make lock``.

``requirements.txt`` has every library of ghcrctl[serve] for all supported versions of Python and
systems, ``build-requirements.txt`` the build backend.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from release.contents import BUILD_LOCK, LOCK, ROOT, uv

if TYPE_CHECKING:
    from pathlib import Path

_OLDEST_PYTHON = "3.10"
_SOURCES = {LOCK: ("--extra", "serve", "pyproject.toml"), BUILD_LOCK: ("-",)}


def main() -> None:
    """Lock the requirements; keep locked versions that still satisfy pyproject.toml."""
    parser = argparse.ArgumentParser(prog="make lock", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="lock the latest versions")
    upgrade = ("--upgrade",) if parser.parse_args().upgrade else ()
    for path, source in _SOURCES.items():
        compile_lock(path, *source, *upgrade)


def compile_lock(path: Path, *arguments: str) -> None:
    """Resolve requirements and write them with hashes.

    Args:
        path: the file to write, whose versions are kept if possible.
        arguments: what to lock; ``-`` for the build backend.
    """
    uv(
        *("pip", "compile", "--universal", "--generate-hashes", "--python-version", _OLDEST_PYTHON),
        *("--custom-compile-command", "make lock", "--output-file", str(path), *arguments),
        stdin="\n".join(build_requires()),
    )


def build_requires() -> list[str]:
    """Return the requirements of the build backend."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    requires: list[str] = project["build-system"]["requires"]
    return requires


if __name__ == "__main__":
    main()
