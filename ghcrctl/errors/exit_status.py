"""Exit statuses, which scripts rely on."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """An exit status of the program."""

    SUCCESS = 0
    BUG = 1
    USAGE = 2
    NETWORK = 3
    NOT_FOUND = 4
    AUTH = 5
    INTEGRITY = 6
    UNSUPPORTED = 7
    STORE = 8
    DIFFERENT = 9
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143
