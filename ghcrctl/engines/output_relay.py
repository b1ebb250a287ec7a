"""A pipe that passes the output of a command on, line by line."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# How long to wait for the rest of the output: a process left behind may keep the pipe open.
_REST_SECONDS = 2.0


@contextmanager
def relayed(show: Callable[[str], None]) -> Iterator[int]:
    """Yield a file descriptor to write to; what is written is shown before this ends.

    Args:
        show: is given each line, in a thread.
    """
    reading, writing = os.pipe()
    thread = threading.Thread(target=_pass_on, args=(reading, show), daemon=True)
    try:
        thread.start()
        yield writing
    finally:
        os.close(writing)
        thread.join(_REST_SECONDS)


def _pass_on(reading: int, show: Callable[[str], None]) -> None:
    with open(reading, "rb") as lines:
        for line in lines:
            show(line.decode(errors="replace").rstrip("\r\n"))
