"""docker's ``--format`` of ``inspect``.

What belongs here: from objects to the indented JSON array, the compact one, or a template's lines.
What does not: which fields an object has (``operations``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.gojson import dumps
from ghcrctl.cli.format.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ghcrctl.cli.format.template import Template

_JSON = "json"
_INDENT = "    "


class Inspection:
    """A ``--format`` of ``inspect`` that has been read, before anything is fetched.

    Args:
        format: the option's value; None or empty where it is not given.

    Raises:
        InvalidTemplateError: the template cannot be read.
    """

    def __init__(self, format: str | None = None) -> None:  # noqa: A002 - it is the option's name
        self._indent = "" if format == _JSON else _INDENT
        self._template: Template | None = None
        if format and format != _JSON:
            from ghcrctl.cli.format.template import compile_template

            self._template = compile_template(format)

    def render(self, elements: Iterable[Mapping[str, Any]]) -> str:
        """Write objects: a JSON array, or what the template gives for each, one per line.

        Neither form escapes ``<``, ``>`` and ``&``; docker prints what its daemon sent, and that
        does not.

        Args:
            elements: the objects; a `Struct` keeps its order of fields, a plain mapping is sorted.

        Raises:
            InvalidTemplateError: the template cannot be applied to an object.
        """
        if self._template is None:
            return dumps(list(elements), indent=self._indent) + "\n"
        lines = [self._template.render(element, clean=_lines) for element in elements]
        return "".join(f"{line}\n" for line in lines) or "\n"


def _lines(text: str) -> str:
    return printable(text, keep="\n\t")
