"""Create rich consoles that follow ghcrctl's rules for colour, encoding and lost terminals.

Import this module only when something is drawn on a terminal: rich takes longer to import than
most commands take to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.theme import Theme

from ghcrctl.cli.format.style import has_256_colours, is_utf8, rich_styles, wants_colour

if TYPE_CHECKING:
    from collections.abc import Mapping


class TerminalConsole(Console):
    """A console that goes quiet when its terminal is lost, instead of ending the program."""

    def on_broken_pipe(self) -> None:
        """Ignore that the terminal is gone: the work continues without a display."""
        self.quiet = True


def console_for(stream: TextIO, environ: Mapping[str, str]) -> TerminalConsole:
    """Return a console for a stream that is a terminal."""
    in_colour = wants_colour(environ, is_terminal=True)
    has_many = has_256_colours(environ)
    return TerminalConsole(
        file=stream,
        force_terminal=True,
        force_jupyter=False,
        legacy_windows=False,
        color_system=("256" if has_many else "standard") if in_colour else None,
        # In ASCII, only colour would tell the two parts of a progress bar apart.
        no_color=not in_colour or not is_utf8(getattr(stream, "encoding", None) or "utf-8"),
        theme=Theme(rich_styles(has_256_colours=has_many)),
        highlight=False,
        markup=False,
        emoji=False,
    )
