"""Errors of a system that ran out of memory, threads or open files."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from ghcrctl.errors import ResourcesExhaustedError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCARCE = {errno.ENOMEM, errno.EMFILE, errno.ENFILE}
_NO_MEMORY = "out of memory"
# Messages of other exceptions that Python, the dynamic linker, zstd and OpenSSL raise.
_TEXTS = {
    "can't start new thread": "the system cannot start more threads",
    "can't allocate lock": _NO_MEMORY,
    "cannot allocate memory": _NO_MEMORY,
    "failed to map segment": _NO_MEMORY,
    "malloc failure": _NO_MEMORY,
    "not enough memory": _NO_MEMORY,
}


def exhausted(error: BaseException) -> ResourcesExhaustedError | None:
    """Translate an error caused by exhausted resources; return ``None`` for other errors."""
    for cause in _causes(error):
        if reason := _reason(cause):
            made = ResourcesExhaustedError(f"cannot continue: {reason}")
            made.__cause__ = error
            return made
    return None


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return _NO_MEMORY
    if isinstance(error, OSError) and error.errno in _SCARCE:
        return error.strerror or _NO_MEMORY
    text = str(error).lower()
    return next((reason for known, reason in _TEXTS.items() if known in text), "")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes; urllib3 nests them in the arguments of exceptions."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        found = queue.pop(0)
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            queue += [found.__cause__, found.__context__, *found.args]
            queue.append(getattr(found, "reason", None))
