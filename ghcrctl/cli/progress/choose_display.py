"""Choose the progress display from the setting ``progress`` and from standard error."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ghcrctl.cli.progress.displays import Display, Events, Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ghcrctl.settings import Settings

# Terminals that understand no control sequences. rich ignores the same ones.
_DUMB = {"dumb", "unknown"}


def display_for(
    settings: Settings,
    warn: Callable[[str], None],
    write_line: Callable[[str], None],
    write_event: Callable[[Mapping[str, object]], None],
) -> Display:
    """Return the display that the settings and standard error allow.

    Args:
        settings: the settings of the run.
        warn: prints a warning.
        write_line: prints a line to standard error.
        write_event: prints an event as a line of JSON.
    """
    kind = settings.get("progress")
    if kind == "auto":
        kind = "bar" if _can_draw(settings.environ) and not settings.is_job else "plain"
    if kind == "json":
        return Events(warn, write_event)
    if kind == "plain":
        return Lines(warn, write_line)
    if kind == "none":
        return Display(warn)
    from ghcrctl.cli.format.style import glyphs_for
    from ghcrctl.cli.progress.bars import Bars
    from ghcrctl.cli.progress.screen import Screen

    screen = Screen(sys.stderr, settings.environ)
    return Bars(warn, screen, glyphs_for(sys.stderr.encoding or "ascii").ellipsis)


def _can_draw(environ: Mapping[str, str]) -> bool:
    if sys.stderr is None or not sys.stderr.isatty() or environ.get("TERM") in _DUMB:
        return False
    if os.name != "nt":
        return True
    from ghcrctl.cli.format.windows_console import enable_sequences

    return enable_sequences(sys.stderr)
