"""What dead processes left: unfinished files that nobody came back for, locks of ended leases.

What belongs here: clearing them away. What does not: content that no image needs (``collect``).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ghcrctl.store.leases import is_alive

if TYPE_CHECKING:
    from pathlib import Path

# Seconds. So long the next pull may go on with what a broken one received.
MAX_AGE = 7 * 24 * 3600.0
# Seconds. A client that has sent nothing for so long does not go on with its upload.
UPLOAD_MAX_AGE = 3600.0
# Of what broken pulls received, the newest are kept: so many files, and so many bytes.
MAX_FILES = 200
MAX_BYTES = 20_000_000_000
# What begins so was on its way in with an unknown digest: nobody can go on with it.
ARRIVING = "new-"
_ASIDE = (".index.json.*", ".oci-layout.*")


def sweep(root: Path, *, partial: Path, leases: Path, max_age: float = MAX_AGE) -> None:
    """Remove what dead processes left; under the lock.

    Unfinished files go once they are old, and the oldest of them where there are too many.
    """
    for lock in list(leases.glob("*.lock")):
        is_alive(leases, lock.stem)
    oldest = time.time() - max_age
    for path in [path for name in _ASIDE for path in root.glob(name)]:
        if _is_left(path, leases) and _written(path) < oldest:
            path.unlink(missing_ok=True)
    left = [path for path in partial.iterdir() if _is_left(path, leases)]
    size = 0
    for path in [path for path in left if path.name.startswith(ARRIVING)]:
        path.unlink(missing_ok=True)
        left.remove(path)
    for number, path in enumerate(sorted(left, key=_written, reverse=True)):
        size += _size(path)
        if _written(path) < oldest or number >= MAX_FILES or size > MAX_BYTES:
            path.unlink(missing_ok=True)


def _is_left(path: Path, leases: Path) -> bool:
    return not is_alive(leases, path.suffix[1:])


def _size(path: Path) -> int:
    """Return the bytes of a file; one that is gone takes none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _written(path: Path) -> float:
    """Return when a file was last written; one that is gone is as good as new."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
