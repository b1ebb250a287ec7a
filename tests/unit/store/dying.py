"""Kill a process before each of its changes to the disk.

As a program (``python -m tests.unit.store.dying BASE FOLDER ACT``) it copies the store ``BASE`` to
``FOLDER/0``, ``FOLDER/1`` and so on, and runs the operation on each copy in a process that exits,
as if killed, right before its first, second and so on change, until one completes.
"""

from __future__ import annotations

import os
import shutil
import sys
from itertools import count
from pathlib import Path
from typing import Any

from tests.builders import random_image
from tests.unit.store.acts import fill, open_store, record

OLD, NEW, KEPT = (
    random_image(2, seed=1),
    # Its base layer is also in the old image.
    random_image(3, seed=1),
    random_image(2, seed=3),
)
_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.truncate", "os.rmdir", "os.link"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_KILLED = 9


def pull(path: Path) -> None:
    fill(open_store(path), NEW, "image:latest")


def tag(path: Path) -> None:
    fill(open_store(path), OLD, "second:latest")


def retag(path: Path) -> None:
    fill(open_store(path), KEPT, "image:latest")


def remove(path: Path) -> None:
    store = open_store(path)
    store.remove([record(store, "image:latest")])


ACTS = {"pull": pull, "tag": tag, "retag": retag, "remove": remove}


def _is_change(event: str, arguments: tuple[Any, ...], folder: str) -> bool:
    if event == "open":
        path, _, flags = arguments
        return str(path).startswith(folder) and bool(flags & _WRITING)
    return event in _CHANGES and str(arguments[0]).startswith(folder)


def _die_at(number: int, folder: str) -> None:
    left = [number]

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if _is_change(event, arguments, folder):
            if not left[0]:
                os._exit(_KILLED)
            left[0] -= 1

    sys.addaudithook(watch)


def _main() -> None:
    base, folder, act = sys.argv[1:]
    for number in count():
        path = Path(folder) / str(number)
        shutil.copytree(base, path)
        child = os.fork()
        if not child:
            _die_at(number, str(path))
            ACTS[act](path)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status != _KILLED:
            sys.exit(status)


if __name__ == "__main__":
    _main()
