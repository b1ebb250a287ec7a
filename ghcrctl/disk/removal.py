"""Removes files and directory trees, regardless of their permissions."""

from __future__ import annotations

import os
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghcrctl.disk import open_handles
from ghcrctl.disk.open_handles import clear_read_only, is_windows_refusal, retry_on_windows

if TYPE_CHECKING:
    from collections.abc import Callable


def remove(path: Path) -> None:
    """Delete a file, which may be read-only or missing.

    Raises:
        OSError: the file cannot be deleted.
    """
    retry_on_windows(lambda: _unlink(path))


def discard(path: Path) -> None:
    """Delete a file, ignoring errors.

    This is for cleanup after an error, which must not be replaced by another one.
    """
    with suppress(OSError):
        remove(path)


def remove_directory(path: Path) -> None:
    """Delete an empty directory.

    Raises:
        OSError: the directory is not empty, or cannot be deleted.
    """
    retry_on_windows(path.rmdir)


def discard_locked(path: Path) -> None:
    """Delete a lock file that this process holds.

    Windows cannot delete it before it is released; there, filelock deletes it.
    """
    if not open_handles.IS_WINDOWS:
        discard(path)


def remove_tree(path: Path) -> None:
    """Delete a file or directory tree, skipping entries that cannot be deleted."""
    if path.is_symlink() or not path.is_dir():
        discard(path)
        return
    _open_directories(path)
    for pause in (0.0, *open_handles.PAUSES):
        time.sleep(pause)
        _remove_entries(path)
        if not (open_handles.IS_WINDOWS and path.exists()):
            return


def _open_directories(path: Path) -> None:
    """Make all directories of a tree accessible to the user."""
    with suppress(OSError):
        path.chmod(0o700)
    for above, names, _ in os.walk(path):
        for folder in (Path(above, name) for name in names):
            with suppress(OSError):
                if not folder.is_symlink():
                    folder.chmod(0o700)


def _remove_entries(path: Path) -> None:
    with suppress(OSError):
        if sys.version_info >= (3, 12):
            shutil.rmtree(path, onexc=_remove_refused)
        else:
            shutil.rmtree(path, onerror=lambda act, name, info: _remove_refused(act, name, info[1]))


def _remove_refused(act: Callable[..., Any], name: str, error: BaseException) -> None:
    """Retry deleting an entry after clearing its read-only attribute."""
    with suppress(OSError):
        if isinstance(error, PermissionError) and clear_read_only(Path(name)):
            act(name)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        if not (is_windows_refusal(error) and clear_read_only(path)):
            raise
        path.unlink(missing_ok=True)
