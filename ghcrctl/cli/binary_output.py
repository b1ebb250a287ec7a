"""Write binary output to a file or to standard output."""

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


def require_output_file(results: Results, output: str | None) -> None:
    """Check that an archive and documents are not both written to standard output.

    Args:
        results: the results of the command.
        output: the file; ``None`` and ``-`` mean standard output.

    Raises:
        UsageError: both go to standard output.
    """
    if results.are_documents and output in {None, "-"}:
        raise UsageError(
            "cannot use --format: the archive is written to standard output",
            hint="write the archive to a file: -o FILE",
        )


@contextmanager
def open_binary_output(output: str | None) -> Iterator[Callable[[bytes], object]]:
    """Yield a function that writes to standard output, or to a file that appears when complete.

    Args:
        output: the file; ``None`` and ``-`` mean standard output.

    Raises:
        UsageError: standard output is a terminal, or the path is invalid.
        StoreError: the file cannot be written.
    """
    if output in {None, "-"}:
        if sys.stdout.isatty():
            raise UsageError(
                "cannot write an archive to a terminal", hint="write it to a file: -o FILE"
            )
        yield _write
        return
    with whole_file(Path(str(output)), private=True) as write:
        yield write


def _write(data: bytes) -> None:
    with translate_write_errors(sys.stdout):
        sys.stdout.buffer.write(data)
