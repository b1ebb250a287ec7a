"""Build the sdist and, from it, the wheel, with the locked build backend: ``make build``."""

from __future__ import annotations

import argparse
import tarfile
import tempfile
from pathlib import Path

from release.contents import BUILD_LOCK, ROOT, hatch, set_source_date, uv_install


def main() -> None:
    """Build both; print their names."""
    parser = argparse.ArgumentParser(prog="make build", description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="directory of the files")
    for path in build(parser.parse_args().to.resolve()):
        print(path)


def build(target: Path) -> list[Path]:
    """Build sdist and wheel in a directory; return their paths.

    The wheel is built from the sdist, so that the sdist is known to be complete.
    """
    set_source_date()
    with tempfile.TemporaryDirectory() as folder:
        backend, unpacked = Path(folder) / "backend", Path(folder) / "sdist"
        uv_install(backend, "--no-deps", "--require-hashes", "--requirement", str(BUILD_LOCK))
        sdist = hatch("sdist", ROOT, target, backend)
        with tarfile.open(sdist) as archive:
            archive.extractall(unpacked, filter="data")
        (source,) = unpacked.iterdir()
        return [sdist, hatch("wheel", source, target, backend)]


if __name__ == "__main__":
    main()
