"""A directory that this process may not enter, even where it is root."""

from __future__ import annotations

import errno
import os
import pathlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


def close_folder(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Refuse to tell of anything in a directory."""

    def refusing(act: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(path: Any = ".", *rest: Any, **more: Any) -> Any:
            if str(path).startswith(f"{folder}{os.sep}"):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return act(path, *rest, **more)

        return refuse

    for name in ("stat", "lstat", "scandir", "listdir", "open"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
        # Paths of Python 3.10 keep their own references.
        accessor: Any = getattr(pathlib, "_NormalAccessor", None)
        if hasattr(accessor, name):
            refused = staticmethod(refusing(getattr(accessor, name)))
            monkeypatch.setattr(accessor, name, refused)
