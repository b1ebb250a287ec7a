"""A pipe that forwards the output of a command line by line."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Wait this long for remaining output, because a background process may keep the pipe open.
_REST_SECONDS = 2.0


@contextmanager
def relay_lines(show: Callable[[str], None]) -> Iterator[int]:
    """Yield a file descriptor whose lines are passed to a function.

    Args:
        show: called with each line, in a background thread.
    """
    reading, writing = os.pipe()
    thread = threading.Thread(target=_forward, args=(reading, show), daemon=True)
    try:
        thread.start()
        yield writing
    finally:
        os.close(writing)
        thread.join(_REST_SECONDS)


def _forward(reading: int, show: Callable[[str], None]) -> None:
    with open(reading, "rb") as lines:
        for line in lines:
            show(line.decode(errors="replace").rstrip("\r\n"))
