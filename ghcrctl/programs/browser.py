"""Opens web pages in the user's browser.

The standard library's ``webbrowser`` finds programs like ``shutil.which``, so it may run one from
the current directory.
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

# A launcher exits immediately, a browser does not.
_START_SECONDS = 3.0
_LAUNCHERS = ("xdg-open", "wslview", "x-www-browser", "sensible-browser")


def open_page(url: str, environ: Mapping[str, str], *, system: str = sys.platform) -> bool:
    """Open a web page.

    Args:
        url: the URL of the page.
        environ: the environment; BROWSER lists commands, as for Python's ``webbrowser``.
        system: the value of ``sys.platform``.

    Returns:
        Whether a browser was started.
    """
    if not url.startswith(("https://", "http://")):
        return False
    if sys.platform == "win32" and not environ.get("BROWSER"):
        # The system opens a URL with the program registered for its scheme.
        os.startfile(url)  # noqa: S606 a URL, not a program
        return True
    return any(_starts(command, environ) for command in _commands(url, environ, system))


def _commands(url: str, environ: Mapping[str, str], system: str) -> Iterator[list[str]]:
    """Yield commands that may open a page, the user's choice first."""
    for text in filter(None, environ.get("BROWSER", "").split(os.pathsep)):
        command = _split(text)
        if command:
            given = [word.replace("%s", url) for word in command]
            yield given if given != command else [*command, url]
    if system == "darwin":
        yield ["/usr/bin/open", url]
    else:
        yield from ([name, url] for name in _LAUNCHERS)


def _split(text: str) -> list[str]:
    try:
        return [word for word in shlex.split(text, posix=os.name != "nt") if word != "&"]
    except ValueError:
        return []


def _starts(command: list[str], environ: Mapping[str, str]) -> bool:
    name, *arguments = command
    try:
        program = name if os.path.isabs(name) else find_program(name, environ)  # noqa: PTH117 a str
        process = start_program(
            [program, *arguments], environ, stdin=DISCARD, stdout=DISCARD, stderr=DISCARD
        )
    except (ProgramError, ProgramNotFoundError):
        return False
    return not has_ended(process, _START_SECONDS) or process.returncode == 0
