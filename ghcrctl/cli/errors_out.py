"""Format errors and warnings as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.cli.format.printable import printable
from ghcrctl.errors import ExitStatus

if TYPE_CHECKING:
    from ghcrctl.cli.format.style import Meaning, Style

# Errors with multiple possible causes outside the command line, too many for a hint.
_WITH_MANY_CAUSES = {
    ExitStatus.NETWORK,
    ExitStatus.AUTH,
    ExitStatus.INTEGRITY,
    ExitStatus.STORE,
}
# Errors whose message needs no explanation.
_PLAIN = {ExitStatus.BUG, ExitStatus.USAGE}


@dataclass(frozen=True, slots=True)
class Failure:
    """An error to report.

    Args:
        code: the error code.
        message: what failed, and why.
        hint: the next command, or a link; ``None`` for none.
        status: the exit status.
    """

    code: str
    message: str
    hint: str | None
    status: int

    @property
    def needs_more(self) -> bool:
        """Whether `ghcrctl explain` has more information than the message and the hint."""
        return self.status in _WITH_MANY_CAUSES or not (self.hint or self.status in _PLAIN)

    def lines(self, style: Style, *, more: bool) -> str:
        """Return the lines to print.

        Args:
            style: what standard error can show.
            more: whether to name the command that explains the code; only used on a terminal.
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
    """Return the lines of a warning."""
    from ghcrctl.cli.format.style import Meaning

    return _line("warning:", Meaning.WARNING, message, style)


def _line(label: str, meaning: Meaning, text: str, style: Style) -> str:
    """Return a label and its text, which may have multiple lines."""
    shown = "\n".join(printable(line) for line in text.split("\n"))
    return f"{style.paint(label, meaning)} {shown}\n"
