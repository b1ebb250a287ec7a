r"""What output is written in: the encoding of a console, and the ends of lines.

What belongs here: making any text fit. What does not: which signs lines and trees are drawn with
(``format.style``), which knows better ones for an encoding that lacks some.
"""

from __future__ import annotations

import codecs
import io
import os
import sys

_ERRORS = "ghcrctl.escaped"


def take_any_text() -> None:
    r"""Let no character be too much for standard output and error.

    What an encoding lacks is written as ``\u65e5``, which in a JSON string still means the same.
    Lines end as docker's do, on Windows too; and what a program reads there is UTF-8, as docker's
    output is, whatever old code page Windows has.
    """
    codecs.register_error(_ERRORS, escaped)
    for stream in (sys.stdout, sys.stderr):
        # Without a console, or in another program, it may be nothing or something else.
        if isinstance(stream, io.TextIOWrapper):
            is_for_programs = os.name == "nt" and not stream.isatty()
            stream.reconfigure(
                encoding="utf-8" if is_for_programs else None, errors=_ERRORS, newline="\n"
            )


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
