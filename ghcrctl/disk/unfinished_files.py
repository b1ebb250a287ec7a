"""Unfinished files, which are deleted if the process exits early."""

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
    """Delete a file if the block fails, or if the process exits in the meantime."""
    _paths.add(path)
    try:
        yield
    except BaseException:
        discard(path)
        raise
    finally:
        _paths.discard(path)


def discard_unfinished() -> None:
    """Delete all unfinished files; only for use right before the process exits."""
    for path in tuple(_paths):
        discard(path)
