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
_ASIDE = (".index.json.*", ".oci-layout.*")


def sweep(root: Path, *, partial: Path, leases: Path, max_age: float = MAX_AGE) -> None:
    """Remove what dead processes left, unfinished files only once they are old; under the lock."""
    for lock in list(leases.glob("*.lock")):
        is_alive(leases, lock.stem)
    oldest = time.time() - max_age
    for path in [*partial.iterdir(), *(path for name in _ASIDE for path in root.glob(name))]:
        if not is_alive(leases, path.suffix[1:]) and _written(path) < oldest:
            path.unlink(missing_ok=True)


def _written(path: Path) -> float:
    """Return when a file was last written; one that is gone is as good as new."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
