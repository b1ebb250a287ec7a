"""Opens files and directories that the user named as input."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.errors import NotFoundError, UsageError
from ghcrctl.store.disk_errors import disk_errors

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

# Errors of invalid paths, as opposed to errors of a failing disk.
_IMPOSSIBLE = {errno.EINVAL, errno.ELOOP, errno.ENAMETOOLONG}


@contextmanager
def input_errors(path: Path) -> Iterator[None]:
    """Translate errors of opening a file that the user named.

    Raises:
        NotFoundError: the file does not exist.
        UsageError: the path is invalid.
        StoreError: the file cannot be read.
    """
    with disk_errors(f"read {path}"):
        try:
            yield
        except (FileNotFoundError, NotADirectoryError):
            raise NotFoundError(f"no such file: {path}") from None
        except OSError as error:
            if error.errno not in _IMPOSSIBLE:
                raise
            raise UsageError(f"cannot read {path}: {error.strerror}") from None


def find_input(path: Path) -> os.stat_result:
    """Return the state of a file or directory that the user named, following links.

    Raises:
        NotFoundError: the file does not exist.
        UsageError: the path is invalid.
        StoreError: its directory cannot be read.
    """
    with input_errors(path):
        return path.stat()


def open_input(path: Path) -> BinaryIO:
    """Open a file that the user named, for reading.

    Raises:
        NotFoundError: the file does not exist.
        UsageError: the path is invalid.
        StoreError: the file cannot be read.
    """
    with input_errors(path):
        return path.open("rb")
