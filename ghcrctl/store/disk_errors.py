"""Disk errors, translated into errors of this program."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.errors import NoSpaceError, ResourcesExhaustedError, StoreError, StoreReadOnlyError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
# Memory, open files of the process and of the system, and processes.
_SCARCE = {errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN}


@contextmanager
def disk_errors(what: str, *, in_store: bool = False) -> Iterator[None]:
    """Turn the disk's errors into ours.

    Args:
        what: what is being done, for the message: ``write the image store at /data``.
        in_store: whether it is done in the image store, which may be elsewhere.

    Raises:
        NoSpaceError: the disk or a quota is full.
        StoreReadOnlyError: there is no permission, or the disk is read-only.
        ResourcesExhaustedError: the system has no memory or no open file left.
        StoreError: anything else the disk says.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            raise NoSpaceError(
                f"cannot {what}: {reason}",
                hint="free some space: `ghcrctl df` shows what images take, `ghcrctl prune` "
                "removes old ones",
            ) from error
        if error.errno in _FORBIDDEN:
            raise StoreReadOnlyError(
                f"cannot {what}: {reason}",
                hint="check the permissions, or choose another place" + " with --store" * in_store,
            ) from error
        kind = ResourcesExhaustedError if error.errno in _SCARCE else StoreError
        raise kind(f"cannot {what}: {reason}") from error
