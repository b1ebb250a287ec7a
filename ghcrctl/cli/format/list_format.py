"""Write listings in the formats of docker: as a table, as JSON, with a template, or IDs only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.cli.format.gojson import dumps
from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.style import PLAIN
from ghcrctl.cli.format.table import align, render_rows
from ghcrctl.cli.format.values import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ghcrctl.cli.format.size_bars import Bars
    from ghcrctl.cli.format.style import Style

_TABLE = "table"
_JSON = "json"


class Listing:
    """The fields of a listing.

    Args:
        headers: the column header of every field that a template can use, by field.
        default_columns: the fields of the plain table, from the left.
        noun: the name of a row in errors.
        placeholders: the text for empty fields in the plain table, by field.
        empty_is_null: whether JSON has ``null`` instead of an empty text. docker has the text.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        default_columns: Sequence[str],
        *,
        noun: str = "row",
        placeholders: Mapping[str, str] | None = None,
        empty_is_null: bool = False,
    ) -> None:
        self._headers = dict(headers)
        self._columns = tuple(default_columns)
        self._noun = noun
        self._placeholders = dict(placeholders or {})
        self._empty_is_null = empty_is_null

    def render(
        self,
        rows: Iterable[Mapping[str, object]],
        *,
        format: str | None,  # noqa: A002 the name of the option
        quiet_field: str | None = None,
        style: Style = PLAIN,
        bars: Bars | None = None,
    ) -> str:
        r"""Return rows in the form that ``--format`` and ``--quiet`` select.

        As in docker, a format other than ``table`` overrides ``--quiet``, and ``\t`` and ``\n`` in
        a template are a tab and a line feed.

        Args:
            rows: the fields of each row; JSON has all of them.
            format: the value of the option; ``None`` or empty if not given.
            quiet_field: the only field to show with ``--quiet``.
            style: what the terminal can show, for the plain table.
            bars: the bars of the rows, for terminals that have room for them.

        Returns:
            The lines, each with a line feed.

        Raises:
            InvalidTemplateError: the template is invalid or cannot be applied.
        """
        chosen = (format or _TABLE).strip(" ")
        if chosen == _JSON:
            return "".join(f"{dumps(self._document(row))}\n" for row in rows)
        if chosen in ("", _TABLE):
            return self._plain(rows, quiet_field, style, bars)
        if chosen.startswith(_TABLE):
            return self._template_table(rows, chosen.removeprefix(_TABLE))
        return self._template_lines(rows, chosen)

    def _document(self, row: Mapping[str, object]) -> Row:
        if not self._empty_is_null:
            return self._row(row)
        fields = {name: None if value == "" else value for name, value in row.items()}
        return Row(fields, noun=self._noun)

    def _row(self, row: Mapping[str, object]) -> Row:
        return row if isinstance(row, Row) else Row(row, noun=self._noun)

    def _plain(
        self,
        rows: Iterable[Mapping[str, object]],
        quiet_field: str | None,
        style: Style,
        bars: Bars | None,
    ) -> str:
        if quiet_field is not None:
            return "".join(f"{printable(str(row.get(quiet_field, '')))}\n" for row in rows)
        columns = [(name, self._headers[name]) for name in self._columns]
        return render_rows(map(self._filled, rows), columns, headers=True, style=style, bars=bars)

    def _filled(self, row: Mapping[str, object]) -> dict[str, object]:
        return {name: value or self._placeholders.get(name, value) for name, value in row.items()}

    def _template_table(self, rows: Iterable[Mapping[str, object]], text: str) -> str:
        from ghcrctl.cli.format.template import compile_template

        template = compile_template(_unescape(text))
        body = [template.render(self._cells(row), clean=_lines) for row in rows]
        header = template.render_header(self._headers)
        return align("".join(f"{line}\n" for line in [header, *body]))

    def _cells(self, row: Mapping[str, object]) -> Row:
        # Tabs and line feeds separate cells. The template contains them; values must not.
        cells = {key: printable(v) if isinstance(v, str) else v for key, v in row.items()}
        return Row(cells, noun=self._noun)

    def _template_lines(self, rows: Iterable[Mapping[str, object]], text: str) -> str:
        from ghcrctl.cli.format.template import compile_template

        template = compile_template(_unescape(text))
        return "".join(f"{template.render(self._row(row), clean=_lines)}\n" for row in rows)


def _unescape(text: str) -> str:
    return text.strip(" ").replace("\\t", "\t").replace("\\n", "\n")


def _lines(text: str) -> str:
    return printable(text, keep="\n\t")
