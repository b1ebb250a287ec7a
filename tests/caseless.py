"""A file system that ignores case and Unicode normalization, on one that does not."""

from __future__ import annotations

import errno
import os
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def ignore_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process see such a file system."""
    for owner, name, at in (
        (Path, "mkdir", 0),
        (Path, "symlink_to", 0),
        (os, "link", 1),
        (os, "mkfifo", 0),
    ):
        monkeypatch.setattr(owner, name, _guarded(getattr(owner, name), at))
    real_open = Path.open

    def opened(path: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if "x" in mode:
            _check(path)
        return real_open(path, mode, *rest, **more)

    monkeypatch.setattr(Path, "open", opened)


def _guarded(act: Callable[..., Any], at: int) -> Callable[..., Any]:
    def guarded(*given: Any, **more: Any) -> Any:
        _check(Path(given[at]))
        return act(*given, **more)

    return guarded


def _check(path: Path) -> None:
    names = os.listdir(path.parent) if path.parent.is_dir() else []  # noqa: PTH208 names
    if path.name not in names and _plain(path.name) in map(_plain, names):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name.lower())
