"""Opening a web page in the user's browser.

The standard library's ``webbrowser`` searches for programs as ``shutil.which`` does, and so may run
one of the current directory.
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from ghcrctl.programs.finder import ProgramNotFoundError, find_program
from ghcrctl.programs.process import DISCARD, ProgramError, has_ended, start_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A launcher ends at once, a browser itself does not.
_START_SECONDS = 3.0
_LAUNCHERS = ("xdg-open", "wslview", "x-www-browser", "sensible-browser")


def open_page(url: str, environ: Mapping[str, str], *, system: str = sys.platform) -> bool:
    """Open a page.

    Args:
        url: its address.
        environ: the environment; BROWSER lists commands, as Python's ``webbrowser`` has it.
        system: as ``sys.platform`` has it.

    Returns:
        Whether a browser was started.
    """
    if not url.startswith(("https://", "http://")):
        return False
    if sys.platform == "win32" and not environ.get("BROWSER"):
        # The system opens an address with the program that is registered for its scheme.
        os.startfile(url)  # noqa: S606 an address, not a program
        return True
    return any(_starts(words, environ) for words in _commands(url, environ, system))


def _commands(url: str, environ: Mapping[str, str], system: str) -> Iterator[list[str]]:
    """Yield command lines that may open a page, the user's choice first."""
    for text in filter(None, environ.get("BROWSER", "").split(os.pathsep)):
        words = _split(text)
        if words:
            given = [word.replace("%s", url) for word in words]
            yield given if given != words else [*words, url]
    if system == "darwin":
        yield ["/usr/bin/open", url]
    else:
        yield from ([name, url] for name in _LAUNCHERS)


def _split(text: str) -> list[str]:
    try:
        return [word for word in shlex.split(text, posix=os.name != "nt") if word != "&"]
    except ValueError:
        return []


def _starts(words: list[str], environ: Mapping[str, str]) -> bool:
    try:
        program = words[0] if os.path.isabs(words[0]) else find_program(words[0], environ)  # noqa: PTH117 a word
        process = start_program(
            [program, *words[1:]], environ, stdin=DISCARD, stdout=DISCARD, stderr=DISCARD
        )
    except (ProgramError, ProgramNotFoundError):
        return False
    return not has_ended(process, _START_SECONDS) or process.returncode == 0
