r"""The log of a GitHub Actions job, in which some text is a command to the runner.

The runner obeys ``::name::`` at the start of a line, after any spaces, and ``##[name]`` anywhere in
a line. Names of files, messages of registries and values of labels are written by others, so what
ghcrctl prints in a job has one character of such text replaced by an escape: ``\x3a:name::`` and
``#\u0023[name]``, which in a JSON string still means the same. Bytes that are printed as they are
(`cat`, `manifest inspect --raw`, archives) are left alone: changing them would change their digest.
Source: actions/runner, ``ActionCommand.cs``.
"""

from __future__ import annotations

import re

# Spaces that the runner skips; it ends lines at line feeds and carriage returns only.
_AT_LINE_START = re.compile(r"(^|[\n\r])([^\S\n\r]*):(?=:)")


def without_commands(text: str) -> str:
    """Return text in which the runner finds no command."""
    if "::" in text:
        text = _AT_LINE_START.sub(r"\1\2\\x3a", text)
    return without_old_commands(text)


def without_old_commands(text: str) -> str:
    """Return text in which the runner finds no command of the form ``##[name]``."""
    return text.replace("##[", "#\\u0023[")
