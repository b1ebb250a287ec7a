"""A disk that refuses to write, sync or rename some files."""

from __future__ import annotations

import builtins
import errno
import io
import os
import pathlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = ("write", "sync", "rename")
ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
# `Path` in Python 3.10 keeps its own references to functions.
_ACCESSOR: Any = getattr(pathlib, "_NormalAccessor", None)
Replace = Callable[[Any, str, Any], None]


def break_disk(replace: Replace, step: str, number: int, fragment: str) -> None:
    """Let a step fail for every file whose path has a fragment.

    Args:
        replace: sets an attribute: `monkeypatch.setattr`, or `setattr` in a process of its own.
        step: one of `STEPS`.
        number: the errno.
        fragment: a part of the path; for a rename of the new one.
    """
    breaks = {"write": _break_writes, "sync": _break_syncs, "rename": _break_renames}
    breaks[step](replace, number, fragment)


def _refuse(number: int, path: object) -> OSError:
    return OSError(number, os.strerror(number), str(path))


class _Refusing(io.FileIO):
    """A file that accepts no bytes."""

    number = errno.ENOSPC

    def write(self, _: Any, /) -> int:
        raise OSError(self.number, os.strerror(self.number))


def _break_writes(replace: Replace, number: int, fragment: str) -> None:
    real = io.open

    def opened(file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **more: Any) -> Any:
        is_written = set(mode) & set("wax+")
        if isinstance(file, int) or not is_written or fragment not in str(file):
            return real(file, mode, buffering, *rest, **more)
        raw = _Refusing(file, mode.replace("b", "").replace("t", ""), opener=more.get("opener"))
        raw.number = number
        if not buffering:
            return raw
        buffered: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding="utf-8")

    replace(io, "open", opened)
    replace(builtins, "open", opened)
    if _ACCESSOR:
        replace(_ACCESSOR, "open", staticmethod(opened))


def _break_syncs(replace: Replace, number: int, fragment: str) -> None:
    real = os.fsync

    def fsync(handle: Any) -> None:
        path = os.readlink(f"/proc/self/fd/{handle}")  # noqa: PTH115 a text
        if fragment in path:
            raise _refuse(number, path)
        real(handle)

    replace(os, "fsync", fsync)


def _break_renames(replace: Replace, number: int, fragment: str) -> None:
    real = Path.replace

    def renamed(source: Path, target: Any) -> Path:
        if fragment in str(target):
            raise _refuse(number, target)
        return real(source, target)

    replace(Path, "replace", renamed)
