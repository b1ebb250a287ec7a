"""Which display a run has: what the setting says, and what standard error is.

What belongs here: the choice, and what a terminal must be able to do for bars.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ghcrctl.cli.progress.displays import Bars, Display, Events, Lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.app import App


def display_for(app: App) -> Display:
    """Make the display of a run."""
    how = app.settings.get("progress")
    if how == "auto":
        how = "bar" if _can_draw(app.settings.environ) and not app.settings.is_job else "plain"
    if how == "json":
        return Events(app.warn, app.event_line)
    if how == "plain":
        return Lines(app.warn, app.error_line)
    if how == "none":
        return Display(app.warn)
    from ghcrctl.cli.progress.screen import Screen

    is_unicode = (sys.stderr.encoding or "").lower().replace("-", "") == "utf8"
    screen = Screen(sys.stderr, app.settings.environ)
    return Bars(app.warn, screen, is_unicode=is_unicode)


def _can_draw(environ: Mapping[str, str]) -> bool:
    if sys.stderr is None or not sys.stderr.isatty() or environ.get("TERM") == "dumb":
        return False
    if os.name != "nt":
        return True
    from ghcrctl.cli.format.windows import obey_sequences

    return obey_sequences(sys.stderr)
