"""A directory that this process may not enter, even as root."""

from __future__ import annotations

import errno
import glob
import os
import pathlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


def close_folder(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Deny all access to a directory."""

    def refusing(act: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(path: Any = ".", *rest: Any, **more: Any) -> Any:
            if str(path).startswith(f"{folder}{os.sep}"):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return act(path, *rest, **more)

        return refuse

    for name in ("stat", "lstat", "scandir", "listdir", "open"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
        # `Path` in Python 3.10 keeps its own references, as does the glob module of 3.13.
        keepers: list[Any] = [
            getattr(pathlib, "_NormalAccessor", None),
            getattr(glob, "_StringGlobber", None),
        ]
        for keeper in keepers:
            if hasattr(keeper, name):
                refused = staticmethod(refusing(getattr(keeper, name)))
                monkeypatch.setattr(keeper, name, refused)
