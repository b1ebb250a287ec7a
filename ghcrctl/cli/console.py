"""Draw with rich on a terminal: one function for each kind of output.

Import this module only for output to a terminal: rich takes longer to import than most commands
take to run.
"""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING, TextIO

import click
from rich import box
from rich.console import Console
from rich.text import Text
from rich.theme import Theme

from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.style import rich_styles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.traceback import Trace

    from ghcrctl.cli.format.style import Style

# rich's own styles have backgrounds, which are hard to read on some terminals.
_MARKDOWN_STYLES = {
    "markdown.code": "bold",
    "markdown.code_block": "",
    "markdown.h1": "bold",
    "markdown.h1.border": "dim",
    "markdown.h2": "bold",
    "markdown.item.bullet": "dim",
}
# A syntax theme without a background, in colors of the terminal's own palette.
_SYNTAX_THEME = "ansi_dark"


class TerminalConsole(Console):
    """A console that stops writing when its terminal is lost, instead of ending the program."""

    def on_broken_pipe(self) -> None:
        """Ignore a lost terminal; the work continues without a display."""
        self.quiet = True


def console_for(stream: TextIO, style: Style) -> TerminalConsole:
    """Return a console for a terminal.

    Args:
        stream: the terminal, or a buffer for it.
        style: what the terminal can show.
    """
    return TerminalConsole(
        file=stream,
        width=style.width,
        force_terminal=True,
        force_jupyter=False,
        legacy_windows=False,
        color_system=("256" if style.has_256_colours else "standard") if style.in_colour else None,
        # In ASCII, only color would tell the two parts of a progress bar apart.
        no_color=not (style.in_colour and style.has_all_characters),
        theme=Theme({**rich_styles(has_256_colours=style.has_256_colours), **_MARKDOWN_STYLES}),
        highlight=False,
        markup=False,
        emoji=False,
    )


def markdown(text: str, style: Style) -> str:
    """Return Markdown as text for a terminal."""
    from rich.markdown import Markdown

    page = _drawn(Markdown(text, code_theme=_SYNTAX_THEME, hyperlinks=style.has_links), style)
    # rich adds blank lines around code blocks.
    return re.sub(r"\n{3,}", "\n\n", page).rstrip("\n") + "\n"


def panel(title: str, lines: Sequence[str], style: Style, *, border: str = "aside") -> str:
    """Return lines in a box with a title.

    Args:
        title: the title, without control characters.
        lines: the lines, without control characters.
        style: what the terminal can show.
        border: the style of the border.
    """
    from rich.panel import Panel

    content = Text("\n").join(map(Text, lines))
    shape = box.ROUNDED if style.has_all_characters else box.ASCII
    return _drawn(
        Panel(content, shape, title=Text(title), title_align="left", border_style=border), style
    )


def prompt(question: str, choices: str, style: Style) -> str:
    """Prompt on standard error; return the answer without surrounding whitespace.

    Raises:
        click.Abort: the input ended.
    """
    from rich.prompt import Prompt

    text = Text.assemble((printable(question), "header"), f" {choices}" if choices else "")
    try:
        reply = Prompt.ask(
            text, console=console_for(sys.stderr, style), default="", show_default=False
        )
    except EOFError:
        raise click.Abort from None
    return reply.strip()


def traceback(error: Exception, style: Style) -> str:
    """Return the traceback of an error, with source code and without secrets."""
    from rich.traceback import Traceback

    trace = Traceback.extract(type(error), error, error.__traceback__)
    _clean(trace)
    return _drawn(Traceback(trace, theme=_SYNTAX_THEME, width=style.width), style)


def _clean(trace: Trace) -> None:
    """Redact the messages in a traceback before they are wrapped, and escape control characters."""
    from ghcrctl.content.redaction import redact

    for stack in trace.stacks:
        stack.exc_value = printable(redact(stack.exc_value))
        stack.notes = [printable(redact(note)) for note in stack.notes]
        for inner in stack.exceptions:
            _clean(inner)


class _Buffer(io.StringIO):
    """A buffer with the encoding of the terminal that its text is written to."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


def _drawn(renderable: RenderableType, style: Style) -> str:
    buffer = _Buffer(style.encoding)
    console_for(buffer, style).print(renderable)
    # rich pads lines with spaces, which would wrap when the terminal becomes narrower.
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())
