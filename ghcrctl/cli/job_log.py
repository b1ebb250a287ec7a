r"""Escape text that a GitHub Actions runner would execute as a command.

The runner executes ``::name::`` at the start of a line, after any spaces, and ``##[name]`` anywhere
in a line. File names, messages of registries and labels are untrusted, so ghcrctl escapes
one character of such text in the log of a job: ``\x3a:name::`` and ``#\u0023[name]``, which means
the same in a JSON string. Binary output (`cat`, `manifest inspect --raw`, archives) is not changed,
because that would change its digest. Source: actions/runner, ``ActionCommand.cs``.
"""

from __future__ import annotations

import re

# The runner skips spaces. Only line feeds and carriage returns end a line.
_AT_LINE_START = re.compile(r"(^|[\n\r])([^\S\n\r]*):(?=:)")


def without_commands(text: str) -> str:
    """Return text without commands to the runner."""
    if "::" in text:
        text = _AT_LINE_START.sub(r"\1\2\\x3a", text)
    return without_old_commands(text)


def without_old_commands(text: str) -> str:
    """Return text without commands of the form ``##[name]``."""
    return text.replace("##[", "#\\u0023[")
