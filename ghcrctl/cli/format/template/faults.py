"""Errors in templates, and their messages."""

from __future__ import annotations

from ghcrctl.cli.format.cells import display_width
from ghcrctl.cli.format.printable import printable
from ghcrctl.errors import InvalidTemplateError

_WINDOW = 60


class TemplateFaultError(Exception):
    """An error in a template. Only this package raises and catches it.

    Args:
        reason: the reason, in lower case and without a full stop.
        offset: the position in the template (characters); ``None`` until it is known.
        hint: what to write instead.
    """

    def __init__(self, reason: str, *, offset: int | None = None, hint: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
        self.hint = hint


def explain(fault: TemplateFaultError, text: str) -> InvalidTemplateError:
    """Return the error for the user: the reason, the line of the template, and a caret below it."""
    offset = min(fault.offset or 0, len(text))
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : end if end >= 0 else len(text)]
    column = offset - start
    cut = max(0, column - _WINDOW)
    before = ("..." if cut else "") + printable(line[cut:column])
    after = printable(line[column : column + _WINDOW])
    caret = " " * display_width(before) + "^"
    message = f"invalid template: {printable(fault.reason)}\n  {before}{after}\n  {caret}"
    return InvalidTemplateError(message, hint=fault.hint)
