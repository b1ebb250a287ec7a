"""Retries for files that Windows refuses to replace or delete.

Windows refuses while any process has the file open. Virus scanners, indexers and concurrent readers
open files briefly, so the call is retried for a short time.
"""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IS_WINDOWS = os.name == "nt"
# Waits between attempts (seconds).
PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
# ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION.
_HELD = {5, 32, 33}


def is_windows_refusal(error: OSError) -> bool:
    """Check whether Windows refuses an action because a file is open or read-only."""
    if getattr(error, "winerror", None) in _HELD:
        return True
    return IS_WINDOWS and isinstance(error, PermissionError)


def retry_on_windows(act: Callable[[], object]) -> None:
    """Call a function, with retries for about two seconds while Windows refuses.

    Raises:
        OSError: the last attempt failed, or the error is a different one.
    """
    for pause in PAUSES:
        try:
            act()
        except OSError as error:
            if not is_windows_refusal(error):
                raise
            time.sleep(pause)
        else:
            return
    act()


def clear_read_only(path: Path) -> bool:
    """Make a file writable; return whether it was read-only.

    Windows neither replaces nor deletes a read-only file.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(mode) or mode & stat.S_IWRITE:
        return False
    path.chmod(stat.S_IMODE(mode) | stat.S_IWRITE)
    return True
