"""Errors of a system that gives no more memory or threads, which are no bugs of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import ResourcesExhaustedError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Python raises a plain RuntimeError with this text (CPython, Modules/_threadmodule.c).
_NO_THREAD = "can't start new thread"


def exhausted(error: BaseException) -> ResourcesExhaustedError | None:
    """Translate an error that a lack of memory or threads caused; return None for others."""
    for cause in _causes(error):
        if isinstance(cause, MemoryError):
            return _because(error, "out of memory")
        if isinstance(cause, RuntimeError) and _NO_THREAD in str(cause):
            return _because(error, "the system starts no more threads")
    return None


def _because(error: BaseException, reason: str) -> ResourcesExhaustedError:
    made = ResourcesExhaustedError(f"cannot continue: {reason}")
    made.__cause__ = error
    return made


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__
