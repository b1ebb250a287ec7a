"""Write results as JSON or with a Go template, for commands other than listings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.gojson import dumps
from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.values import Struct
from ghcrctl.errors import UsageError
from ghcrctl.oci.quotes import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ghcrctl.cli.format.template import Template
    from ghcrctl.errors import GhcrctlError

_JSON = "json"
_INDENT = "    "


class Documents:
    """The value of ``--format``, parsed before the command does anything. False if not given.

    Args:
        format: ``json`` or a Go template; ``None`` or empty if not given.

    Raises:
        UsageError: the format is neither. docker would print the word itself.
        InvalidTemplateError: the template is invalid.
    """

    def __init__(self, format: str | None = None) -> None:  # noqa: A002 the name of the option
        self._format = format
        self._template: Template | None = None
        if format and format != _JSON:
            if "{{" not in format:
                raise UsageError(
                    f"invalid format `{shortened(format)}`: expected json or a Go template"
                )
            from ghcrctl.cli.format.template import compile_template

            self._template = compile_template(format.replace("\\t", "\t").replace("\\n", "\n"))

    def __bool__(self) -> bool:
        return bool(self._format)

    @property
    def has_template(self) -> bool:
        """Whether the format is a template."""
        return self._template is not None

    def one(self, document: Mapping[str, Any]) -> str:
        """Return one object as JSON or as a line from the template.

        Raises:
            InvalidTemplateError: the template cannot be applied.
        """
        if self._template:
            return self._line(self._template, document)
        return dumps(_struct(document), indent=_INDENT) + "\n"

    def many(self, documents: Iterable[Mapping[str, Any]]) -> str:
        """Return objects as a JSON array or as one line each from the template.

        Raises:
            InvalidTemplateError: the template cannot be applied to an object.
        """
        if self._template:
            return "".join(self._line(self._template, document) for document in documents)
        return dumps([_struct(document) for document in documents], indent=_INDENT) + "\n"

    def _line(self, template: Template, document: Mapping[str, Any]) -> str:
        return f"{template.render(_struct(document), clean=_lines)}\n"


def error_fields(error: GhcrctlError | None) -> dict[str, str | None]:
    """Return the fields for the error of one of multiple items."""
    if error is None:
        return {"Error": None, "Message": None}
    return {"Error": error.code, "Message": str(error)}


def _struct(value: Any) -> Any:
    """Convert mappings to structs, which keep the order of fields, at every level."""
    if isinstance(value, Struct):
        return value
    if isinstance(value, dict) and type(value) is dict:
        return Struct({name: _struct(inner) for name, inner in value.items()}, noun="result")
    if isinstance(value, (list, tuple)):
        return [_struct(inner) for inner in value]
    return value


def _lines(text: str) -> str:
    return printable(text, keep="\n\t")
