"""Leftovers of dead processes: unfinished files, uploads, work directories and leases."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.disk.removal import discard, remove_tree
from ghcrctl.store.leases import is_alive
from ghcrctl.store.scratch import PREFIX, abandoned, size_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds. So long the next pull may go on with what a broken one received.
MAX_AGE = 7 * 24 * 3600.0
# Seconds. A client that sent nothing for this long has abandoned its upload.
UPLOAD_MAX_AGE = 3600.0
# Uploads to `ghcrctl serve`; each name ends with the lease of its server.
UPLOADS = "uploads"
# Of what broken pulls received, the newest are kept: so many files, and so many bytes.
MAX_FILES = 200
MAX_BYTES = 20_000_000_000
# What begins so was on its way in with an unknown digest: nobody can go on with it.
ARRIVING = "new-"
# Work directories of imports and builds.
_SCRATCH = ("import.*", "build*")
_ASIDE = (".index.json.*", ".oci-layout.*")


def sweep(root: Path, *, partial: Path, leases: Path, max_age: float = MAX_AGE) -> None:
    """Remove leftovers of dead processes, under the lock.

    The next pull resumes an unfinished download, so downloads are only removed once they are old,
    or the oldest if there are too many. Everything else is never resumed.
    """
    for lock in list(leases.glob("*.lock")):
        is_alive(leases, lock.stem)
    for path in _abandoned(partial.parent, leases):
        remove_tree(path)
    oldest = time.time() - max_age
    for path in [path for name in _ASIDE for path in root.glob(name)]:
        if _is_left(path, leases) and _written(path) < oldest:
            discard(path)
    left = [path for path in partial.iterdir() if _is_left(path, leases)]
    size = 0
    for path in [path for path in left if path.name.startswith(ARRIVING)]:
        discard(path)
        left.remove(path)
    for number, path in enumerate(sorted(left, key=_written, reverse=True)):
        size += size_of(path)
        if _written(path) < oldest or number >= MAX_FILES or size > MAX_BYTES:
            discard(path)


def _is_left(path: Path, leases: Path) -> bool:
    return not is_alive(leases, path.suffix[1:])


def scratch_paths(private: Path) -> Iterator[Path]:
    """Yield the work files of running and dead processes, except downloads.

    Of temporary directories only abandoned ones count: the others may be of other stores.

    Args:
        private: the store's directory for such things.
    """
    for pattern in (*_SCRATCH, f"{UPLOADS}/*"):
        yield from private.glob(pattern)
    yield from abandoned(Path(tempfile.gettempdir()), f"{PREFIX}*")


def abandoned_paths(partial: Path, leases: Path) -> Iterator[Path]:
    """Yield everything that dead processes left, of any age."""
    yield from _abandoned(partial.parent, leases)
    yield from (path for path in partial.glob("*") if _is_left(path, leases))


def _abandoned(private: Path, leases: Path) -> Iterator[Path]:
    for path in (private / UPLOADS).glob("*"):
        if _is_left(path, leases) or _written(path) < time.time() - UPLOAD_MAX_AGE:
            yield path
    for pattern in _SCRATCH:
        yield from abandoned(private, pattern)
        yield from (p for p in private.glob(pattern) if _written(p) < time.time() - MAX_AGE)
    yield from abandoned(Path(tempfile.gettempdir()), f"{PREFIX}*")


def _written(path: Path) -> float:
    """Return when a file was last written; one that is gone is as good as new."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
