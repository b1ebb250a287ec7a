"""Which display a run has: what the setting says, and what standard error is.

What belongs here: the choice, and what a terminal must be able to do for bars.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ghcrctl.cli.progress.displays import Bars, Display, Events, Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ghcrctl.settings import Settings


def display_for(
    settings: Settings,
    warn: Callable[[str], None],
    write_line: Callable[[str], None],
    write_event: Callable[[Mapping[str, object]], None],
) -> Display:
    """Return the display that the settings and standard error allow.

    Args:
        settings: of this run.
        warn: prints a warning.
        write_line: prints a line to standard error.
        write_event: prints an event as a line of JSON.
    """
    how = settings.get("progress")
    if how == "auto":
        how = "bar" if _can_draw(settings.environ) and not settings.is_job else "plain"
    if how == "json":
        return Events(warn, write_event)
    if how == "plain":
        return Lines(warn, write_line)
    if how == "none":
        return Display(warn)
    from ghcrctl.cli.progress.screen import Screen

    is_unicode = (sys.stderr.encoding or "").lower().replace("-", "") == "utf8"
    screen = Screen(sys.stderr, settings.environ)
    return Bars(warn, screen, is_unicode=is_unicode)


def _can_draw(environ: Mapping[str, str]) -> bool:
    if sys.stderr is None or not sys.stderr.isatty() or environ.get("TERM") == "dumb":
        return False
    if os.name != "nt":
        return True
    from ghcrctl.cli.format.windows import obey_sequences

    return obey_sequences(sys.stderr)
