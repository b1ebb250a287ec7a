"""Check the installed size of ghcrctl: ``python -m release.weight ENVIRONMENT``."""

from __future__ import annotations

import sys
from pathlib import Path

LIMIT_MB = 55
_BLOCK_BYTES = 4096


def main() -> None:
    """Print the size of an environment; fail if it is above the limit."""
    total = sum(weights(Path(sys.argv[1])).values()) / 1e6
    print(f"{total:.0f} MB installed")
    if total > LIMIT_MB:
        sys.exit(f"error: the installation is larger than {LIMIT_MB} MB")


def weights(environment: Path) -> dict[str, int]:
    """Return the disk usage of each package of a virtual environment except pip (bytes)."""
    sites = [*environment.glob("lib/python*/site-packages"), *environment.glob("Lib/site-packages")]
    found: dict[str, int] = {}
    for path in (path for site in sites for path in site.iterdir()):
        name = path.name.partition("-")[0].partition(".")[0]
        if name not in {"pip", "setuptools", "_distutils_hack", "distutils"}:
            found[name] = found.get(name, 0) + _disk_usage(path)
    return found


def _disk_usage(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(-(-file.stat().st_size // _BLOCK_BYTES) * _BLOCK_BYTES for file in files)


if __name__ == "__main__":
    main()
