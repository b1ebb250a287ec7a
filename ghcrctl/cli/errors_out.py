"""Failures in words: what failed and why, the next command, and where more is told of it.

What belongs here: the lines of one failure, on a terminal and elsewhere. What does not: JSON, and a
job's page (``app``); what a code means (``explanations``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.cli.format.printable import printable
from ghcrctl.errors import ExitStatus

if TYPE_CHECKING:
    from ghcrctl.cli.format.style import Meaning, Style

# Their causes lie outside the command line, and are more than a hint can name.
_WITH_MANY_CAUSES = {
    ExitStatus.NETWORK,
    ExitStatus.AUTH,
    ExitStatus.INTEGRITY,
    ExitStatus.STORE,
}
# What needs no explanation beyond its message.
_PLAIN = {ExitStatus.BUG, ExitStatus.USAGE}


@dataclass(frozen=True, slots=True)
class Failure:
    """What is told of a failure.

    Args:
        code: of the error.
        message: what failed, and why.
        hint: the next command, or a page; ``None`` for none.
        status: the exit status that belongs to it.
    """

    code: str
    message: str
    hint: str | None
    status: int

    @property
    def needs_more(self) -> bool:
        """Whether an explanation of the code adds something to message and hint."""
        return self.status in _WITH_MANY_CAUSES or not (self.hint or self.status in _PLAIN)

    def lines(self, style: Style, *, more: bool) -> str:
        """Write the lines.

        Args:
            style: of the end that they go to.
            more: whether to say where the code is explained; only ever on a terminal.
        """
        from ghcrctl.cli.format.style import Meaning

        if self.status == ExitStatus.BUG and style.is_full_terminal:
            return self._panel(style)
        text = _line("error:", Meaning.ERROR, self.message, style)
        if self.hint:
            text += _line("hint:", Meaning.HINT, self.hint, style)
        if more and self.needs_more and style.width is not None:
            text += style.paint(f"more: ghcrctl explain {self.code}", Meaning.ASIDE) + "\n"
        return text

    def _panel(self, style: Style) -> str:
        """Return a box, which is easy to find below a traceback and to copy into a report."""
        from ghcrctl.cli.console import panel

        lines = [printable(line) for line in self.message.split("\n")]
        if self.hint:
            lines += ["", f"hint: {printable(self.hint)}"]
        return panel("error", lines, style, border="error")


def warning(message: str, style: Style) -> str:
    """Write the lines of a warning."""
    from ghcrctl.cli.format.style import Meaning

    return _line("warning:", Meaning.WARNING, message, style)


def _line(word: str, meaning: Meaning, text: str, style: Style) -> str:
    """Write a word that says what this is, and a text of one line or several."""
    shown = "\n".join(printable(line) for line in text.split("\n"))
    return f"{style.paint(word, meaning)} {shown}\n"
