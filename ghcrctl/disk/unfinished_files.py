"""Files that are being written, so that a process that ends at once leaves none behind."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.disk.removal import discard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_paths: set[Path] = set()


@contextmanager
def unfinished(path: Path) -> Iterator[None]:
    """Delete a file if the block fails, or if the process ends meanwhile by its own choice."""
    _paths.add(path)
    try:
        yield
    except BaseException:
        discard(path)
        raise
    finally:
        _paths.discard(path)


def discard_unfinished() -> None:
    """Delete every file that a thread is still writing; call this only before the process ends."""
    for path in tuple(_paths):
        discard(path)
