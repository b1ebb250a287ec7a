"""Removes files of dead processes: unfinished downloads, uploads, work directories and leases."""

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

# How long an interrupted download is kept for resuming (seconds).
MAX_AGE = 7 * 24 * 3600.0
# An upload without activity for this long is considered abandoned (seconds).
UPLOAD_MAX_AGE = 3600.0
# Directory of uploads to `ghcrctl serve`; each name ends with the lease of its server.
UPLOADS = "uploads"
# Interrupted downloads are kept up to these limits, newest first.
MAX_FILES = 200
MAX_BYTES = 20_000_000_000
# Prefix of incoming blobs with an unknown digest, which cannot be resumed.
INCOMING = "new-"
# Work directories of imports and builds.
_SCRATCH = ("import.*", "build*")
_ASIDE = (".index.json.*", ".oci-layout.*")


def sweep(root: Path, *, partial: Path, leases: Path, max_age: float = MAX_AGE) -> None:
    """Remove files of dead processes; the caller holds the store's lock.

    Unfinished downloads can be resumed, so they are only removed if they are old, or exceed
    the limits on number and size. All other files are removed.
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
    for path in [path for path in left if path.name.startswith(INCOMING)]:
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

    Other stores share the system's temporary directory, so only abandoned files are included
    from there.

    Args:
        private: the store's directory for work files.
    """
    for pattern in (*_SCRATCH, f"{UPLOADS}/*"):
        yield from private.glob(pattern)
    yield from abandoned(Path(tempfile.gettempdir()), f"{PREFIX}*")


def abandoned_paths(partial: Path, leases: Path) -> Iterator[Path]:
    """Yield all files of dead processes, regardless of their age."""
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
    """Return when a file was last written; infinity if it no longer exists."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
