"""Make standard streams accept any text, and translate their errors."""

from __future__ import annotations

import codecs
import errno
import io
import locale
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_ERRORS = "ghcrctl.escaped"
_IS_WINDOWS = os.name == "nt"


def ensure_std_streams() -> None:
    """Replace standard streams that are closed or missing.

    Standard input is empty, standard error discards everything, and writing to standard output
    fails, so no result is lost silently. Otherwise a file that is opened later could get the
    number of a closed stream, and its output.
    """
    for name, mode, flags in (
        ("stdin", "r", os.O_RDONLY),
        ("stdout", "w", os.O_RDONLY),
        ("stderr", "w", os.O_WRONLY),
    ):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, flags)
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 remains open
            setattr(sys, name, stream)


@contextmanager
def translate_write_errors(stream: TextIO) -> Iterator[None]:
    """Translate errors of writing to a standard stream.

    Raises:
        StoreError: standard output cannot be written. Errors of standard error are ignored, because
            there is nowhere to report them.
        BrokenPipeError: the reader of standard output closed the pipe.
    """
    try:
        yield
    except OSError as error:
        if stream is sys.stderr:
            # The exit status still reports the result of the run.
            redirect_to_devnull(stream)
            return
        if is_closed_pipe(error):
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None
        from ghcrctl.store.disk_errors import disk_errors

        with disk_errors("write to standard output"):
            raise closed_output(error) from None


def is_closed_pipe(error: OSError) -> bool:
    """Check whether an error of a standard stream means that the reader closed the pipe.

    Windows has no SIGPIPE and no error number of its own for this: its C library reports EINVAL.
    """
    return isinstance(error, BrokenPipeError) or (_IS_WINDOWS and error.errno == errno.EINVAL)


def closed_output(error: OSError) -> OSError:
    """Return the error to report for standard output; name the cause if it is closed."""
    if error.errno == errno.EBADF:
        return OSError(errno.EBADF, "it is closed")
    return error


def redirect_to_devnull(stream: TextIO) -> None:
    """Discard the buffer of a stream that cannot be written, and everything written later."""
    null_device = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null_device, stream.fileno())
    os.close(null_device)


def escape_unencodable_text() -> None:
    r"""Make standard output and error accept any text.

    Characters that the encoding lacks are written as ``\u65e5``, which in a JSON string means the
    same. A terminal in the locale C gets ASCII only. Lines end with a line feed, on Windows too. On
    Windows, programs read and write UTF-8, as with docker, regardless of the legacy code page;
    PowerShell may send a byte order mark first.
    """
    codecs.register_error(_ERRORS, escaped)
    if _IS_WINDOWS and isinstance(sys.stdin, io.TextIOWrapper) and not sys.stdin.isatty():
        sys.stdin.reconfigure(encoding="utf-8-sig")
    for stream in (sys.stdout, sys.stderr):
        # Without a console, or in another program, this may be None or another object.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=_encoding_for(stream), errors=_ERRORS, newline="\n")


def _encoding_for(stream: TextIO) -> str | None:
    """Return the encoding to write with; ``None`` to keep the current one."""
    if _IS_WINDOWS:
        return None if stream.isatty() else "utf-8"
    # Bytes for programs must not depend on the locale.
    return "ascii" if stream.isatty() and is_c_locale() else None


def is_c_locale() -> bool:
    """Check whether the locale is C, for example because of ``LC_ALL=C``.

    The encoding of a stream does not show this, since Python writes UTF-8 in that locale.
    """
    return not _IS_WINDOWS and locale.setlocale(locale.LC_CTYPE) in {"C", "POSIX"}


def escaped_for(text: str, encoding: str) -> str:
    """Return text as a console with this encoding shows it, to measure its width."""
    codecs.register_error(_ERRORS, escaped)
    try:
        return text.encode(encoding, _ERRORS).decode(encoding)
    except (LookupError, UnicodeError):
        return text


def escaped(error: UnicodeError) -> tuple[str, int]:
    """Return the escapes of characters that cannot be encoded, and where to continue.

    Raises:
        UnicodeError: the error is not an encoding error.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in pairs), error.end
