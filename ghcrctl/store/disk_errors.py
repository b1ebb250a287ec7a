"""Translates operating system errors into errors of this program."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.errors import NoSpaceError, ResourcesExhaustedError, StoreError, StoreReadOnlyError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
# Out of memory, or too many open files or processes.
_SCARCE = {errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN}


@contextmanager
def disk_errors(what: str, *, in_store: bool = False) -> Iterator[None]:
    """Translate an ``OSError`` into a `StoreError`.

    Args:
        what: the action for the message: ``write the image store at /data``.
        in_store: whether the action is in the image store, whose location can be changed.

    Raises:
        NoSpaceError: the disk or a quota is full.
        StoreReadOnlyError: permission is denied, or the disk is read-only.
        ResourcesExhaustedError: out of memory, or too many open files.
        StoreError: any other error.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            raise NoSpaceError(
                f"cannot {what}: {reason}",
                hint="free some space: `ghcrctl df` shows disk usage, `ghcrctl prune` removes "
                "unused images",
            ) from error
        if error.errno in _FORBIDDEN:
            raise StoreReadOnlyError(
                f"cannot {what}: {reason}",
                hint="check the permissions, or choose another path" + " with --store" * in_store,
            ) from error
        kind = ResourcesExhaustedError if error.errno in _SCARCE else StoreError
        raise kind(f"cannot {what}: {reason}") from error
