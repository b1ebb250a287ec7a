"""The lower bound for a pull: read files, hash them, and write them durably.

As a program: ``python -m tests.bench.limit FROM TO`` copies a layout's blobs, several at once.
"""

import hashlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_BLOCK = 1024 * 1024


def _copy(source: Path, target: Path) -> None:
    hasher = hashlib.sha256()
    with source.open("rb") as reading, target.open("xb") as writing:
        while block := reading.read(_BLOCK):
            hasher.update(block)
            writing.write(block)
        writing.flush()
        os.fsync(writing.fileno())
    if hasher.hexdigest() != source.name:
        raise ValueError(f"{source} is damaged")


def main() -> None:
    """Copy all blobs of one layout."""
    source, target = (Path(folder) for folder in sys.argv[1:])
    target.mkdir()
    with ThreadPoolExecutor(6) as pool:
        paths = (source / "blobs" / "sha256").iterdir()
        list(pool.map(lambda path: _copy(path, target / path.name), paths))


if __name__ == "__main__":
    main()
