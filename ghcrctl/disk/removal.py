"""Removal of files and directory trees, regardless of their modes."""

from __future__ import annotations

import os
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghcrctl.disk import open_handles
from ghcrctl.disk.open_handles import clear_read_only, is_windows_refusal, patiently

if TYPE_CHECKING:
    from collections.abc import Callable


def remove(path: Path) -> None:
    """Delete a file, which may be read-only or missing.

    Raises:
        OSError: the file cannot be deleted.
    """
    patiently(lambda: _unlink(path))


def discard(path: Path) -> None:
    """Delete a file if that is possible.

    This is for cleaning up after an error, which must not be replaced by another one.
    """
    with suppress(OSError):
        remove(path)


def remove_directory(path: Path) -> None:
    """Delete an empty directory.

    Raises:
        OSError: the directory is not empty, or cannot be deleted.
    """
    patiently(path.rmdir)


def discard_locked(path: Path) -> None:
    """Delete a lock file that this process holds.

    Windows cannot delete it before it is released, and the lock does that there.
    """
    if not open_handles.IS_WINDOWS:
        discard(path)


def remove_tree(path: Path) -> None:
    """Delete a file or a directory tree; entries that cannot be deleted are kept."""
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
    """Let the user read and change every directory of a tree."""
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
    """Delete an entry again after its read-only bit is cleared."""
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
