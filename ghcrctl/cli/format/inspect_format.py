"""Write inspected objects as JSON or with a template, like ``docker inspect``."""

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
    """The value of ``--format``, parsed before anything is fetched.

    Args:
        format: the value of the option; ``None`` or empty if not given.

    Raises:
        InvalidTemplateError: the template is invalid.
    """

    def __init__(self, format: str | None = None) -> None:  # noqa: A002 the name of the option
        self._indent = "" if format == _JSON else _INDENT
        self._template: Template | None = None
        if format and format != _JSON:
            from ghcrctl.cli.format.template import compile_template

            self._template = compile_template(format)

    def render(self, elements: Iterable[Mapping[str, Any]]) -> str:
        """Return objects as a JSON array or as one line each from the template.

        Neither form escapes ``<``, ``>`` and ``&``: docker prints the response of its daemon, which
        does not escape them.

        Args:
            elements: the objects. A `Struct` keeps the order of its fields; mappings are sorted.

        Raises:
            InvalidTemplateError: the template cannot be applied to an object.
        """
        if self._template is None:
            return dumps(list(elements), indent=self._indent) + "\n"
        lines = [self._template.render(element, clean=_lines) for element in elements]
        return "".join(f"{line}\n" for line in lines) or "\n"


def _lines(text: str) -> str:
    return printable(text, keep="\n\t")
