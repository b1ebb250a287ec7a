r"""What output is written in: the encoding of a console, and the ends of lines.

What belongs here: making any text fit. What does not: which signs lines and trees are drawn with
(``format.style``), which knows better ones for an encoding that lacks some.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_ERRORS = "ghcrctl.escaped"
_IS_WINDOWS = os.name == "nt"


def be_there() -> None:
    """Replace standard streams that are closed or missing.

    Standard input is empty, standard error goes nowhere, and writing to standard output fails, so
    that no result is lost in silence. A file that is opened later would otherwise get the number of
    a closed stream, and its output.
    """
    for name, mode, flags in (
        ("stdin", "r", os.O_RDONLY),
        ("stdout", "w", os.O_RDONLY),
        ("stderr", "w", os.O_WRONLY),
    ):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, flags)
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 it stays
            setattr(sys, name, stream)


@contextmanager
def translate_write_errors(stream: TextIO) -> Iterator[None]:
    """Word what the disk says of output that goes there.

    Raises:
        StoreError: it cannot be written; standard error is given up quietly, for want of a place
            to tell of it.
        BrokenPipeError: nobody reads standard output any more.
    """
    try:
        yield
    except OSError as error:
        if stream is sys.stderr:
            # The exit status still tells what became of the run.
            go_nowhere(stream)
            return
        if is_closed_pipe(error):
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None
        from ghcrctl.store.disk_errors import disk_errors

        with disk_errors("write to standard output"):
            raise closed_output(error) from None


def is_closed_pipe(error: OSError) -> bool:
    """Return whether an error of a standard stream means that the reader closed the pipe.

    Windows has no SIGPIPE and no error number of its own for this: its C library reports EINVAL.
    """
    return isinstance(error, BrokenPipeError) or (_IS_WINDOWS and error.errno == errno.EINVAL)


def closed_output(error: OSError) -> OSError:
    """Return the error to report for standard output; name the cause if it is closed."""
    if error.errno == errno.EBADF:
        return OSError(errno.EBADF, "it is closed")
    return error


def go_nowhere(stream: TextIO) -> None:
    """Let what is kept for a stream that is gone, or full, go nowhere, and all that follows."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def take_any_text() -> None:
    r"""Let no character be too much for standard output and error.

    What an encoding lacks is written as ``\u65e5``, which in a JSON string still means the same.
    Lines end as docker's do, on Windows too; and what a program reads there is UTF-8, as docker's
    output is, whatever old code page Windows has. So is what another program writes to standard
    input there; PowerShell may put a byte order mark in front.
    """
    codecs.register_error(_ERRORS, escaped)
    if _IS_WINDOWS and isinstance(sys.stdin, io.TextIOWrapper) and not sys.stdin.isatty():
        sys.stdin.reconfigure(encoding="utf-8-sig")
    for stream in (sys.stdout, sys.stderr):
        # Without a console, or in another program, it may be nothing or something else.
        if isinstance(stream, io.TextIOWrapper):
            is_for_programs = _IS_WINDOWS and not stream.isatty()
            stream.reconfigure(
                encoding="utf-8" if is_for_programs else None, errors=_ERRORS, newline="\n"
            )


def escaped_for(text: str, encoding: str) -> str:
    """Return a text as such a console shows it, so that its cells can be counted."""
    codecs.register_error(_ERRORS, escaped)
    try:
        return text.encode(encoding, _ERRORS).decode(encoding)
    except (LookupError, UnicodeError):
        return text


def escaped(error: UnicodeError) -> tuple[str, int]:
    """Return the escapes of what cannot be encoded, and where to go on.

    Raises:
        UnicodeError: it is not encoding that failed.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in pairs), error.end
