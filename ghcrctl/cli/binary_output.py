"""Where the bytes of a command go that prints no text.

What belongs here: files that are there whole or not at all, pipes, and what no terminal wants.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.cli.streams import translate_write_errors
from ghcrctl.errors import UsageError
from ghcrctl.store.output_files import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.cli.results import Results


def require_file(results: Results, output: str | None) -> None:
    """Refuse to tell of an archive on stdout that goes there itself.

    Args:
        results: of the command.
        output: the file; ``None`` and ``-`` stand for stdout.

    Raises:
        UsageError: both want stdout.
    """
    if results.are_documents and output in {None, "-"}:
        raise UsageError(
            "standard output gets the archive, and --format wants it too",
            hint="write the archive into a file: -o FILE",
        )


@contextmanager
def bytes_to(output: str | None) -> Iterator[Callable[[bytes], object]]:
    """Yield a function that writes an archive to stdout, or to a file that appears complete.

    Args:
        output: the file; ``None`` and ``-`` stand for stdout.

    Raises:
        UsageError: stdout is a terminal, or no file can have this path.
        StoreError: the file cannot be written.
    """
    if output in {None, "-"}:
        if sys.stdout.isatty():
            raise UsageError(
                "an archive is not for a terminal", hint="write it into a file: -o FILE"
            )
        yield _write
        return
    with whole_file(Path(str(output)), private=True) as write:
        yield write


def _write(data: bytes) -> None:
    with translate_write_errors(sys.stdout):
        sys.stdout.buffer.write(data)
