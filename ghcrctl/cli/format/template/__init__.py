"""Go's text/template, as used with docker's ``--format``.

``ghcrctl.cli.format.values`` describes the data.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.template.evaluator import Evaluation
from ghcrctl.cli.format.template.faults import TemplateFaultError, explain
from ghcrctl.cli.format.template.functions import FUNCTIONS, HEADER_FUNCTIONS
from ghcrctl.cli.format.template.parser import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ghcrctl.cli.format.template.nodes import Program

__all__ = ["Template", "compile_template"]


class Template:
    """A parsed template; `compile_template` creates it."""

    __slots__ = ("_program", "_text")

    def __init__(self, text: str, program: Program) -> None:
        self._text = text
        self._program = program

    def render(self, data: Any, *, clean: Callable[[str], str] | None = None) -> str:
        """Apply the template to data.

        Args:
            data: the value of ``.`` and ``$``.
            clean: applied to each printed value, but not to the text of the template.

        Raises:
            InvalidTemplateError: an action cannot be applied to the data.
        """
        evaluation = Evaluation(self._program, FUNCTIONS, clean)
        try:
            _bounded(lambda: evaluation.run(data))
        except TemplateFaultError as fault:
            raise explain(fault, self._text) from None
        return "".join(evaluation.written)

    def render_header(self, headers: Mapping[str, str]) -> str:
        """Apply the template to the column headers of a table.

        As in docker, functions that change values do not change headers, and the header row ends
        where the template cannot be applied.

        Args:
            headers: the column headers by field.
        """
        evaluation = Evaluation(self._program, HEADER_FUNCTIONS, None)
        with suppress(TemplateFaultError):
            _bounded(lambda: evaluation.run(dict(headers)))
        return "".join(evaluation.written)


def compile_template(text: str) -> Template:
    """Parse a template.

    Args:
        text: the template, with Go's and docker's functions.

    Raises:
        InvalidTemplateError: the template is invalid; the message shows where.
    """
    try:
        return Template(text, _bounded(lambda: parse(text, FUNCTIONS)))
    except TemplateFaultError as fault:
        raise explain(fault, text) from None


def _bounded(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except RecursionError:
        raise TemplateFaultError("the template or its data is nested too deeply") from None
