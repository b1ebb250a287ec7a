"""Go's text/template as people use it with docker's ``--format``.

What belongs here: the language: lexer, parser, evaluator and functions, a module each. What does
not: what a command's ``--format`` means beyond a template (``listing``, ``inspecting``), which
import this package only when there is a template to apply.

Data is described in ``ghcrctl.cli.format.values``.
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
    """A template that has been read; made by `compile_template`."""

    __slots__ = ("_program", "_text")

    def __init__(self, text: str, program: Program) -> None:
        self._text = text
        self._program = program

    def render(self, data: Any, *, clean: Callable[[str], str] | None = None) -> str:
        """Apply the template to data.

        Args:
            data: what ``.`` and ``$`` are.
            clean: what each printed value goes through; the template's own text does not.

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
        """Apply the template to the names of a table's columns.

        Functions that would change a value leave a name alone, and where the template cannot be
        applied to names, the header ends: docker does both.

        Args:
            headers: the column's name by field.
        """
        evaluation = Evaluation(self._program, HEADER_FUNCTIONS, None)
        with suppress(TemplateFaultError):
            _bounded(lambda: evaluation.run(dict(headers)))
        return "".join(evaluation.written)


def compile_template(text: str) -> Template:
    """Read a template.

    Args:
        text: in Go's template language, with Go's and docker's functions.

    Raises:
        InvalidTemplateError: the text is no template; the message shows where.
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
