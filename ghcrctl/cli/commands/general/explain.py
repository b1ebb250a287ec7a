"""``ghcrctl explain``."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.explanations import explain_code, explain_status
from ghcrctl.cli.explanations.find import find
from ghcrctl.cli.format.documents import Documents
from ghcrctl.cli.format.style import Meaning
from ghcrctl.cli.options import format_option, pass_app
from ghcrctl.errors import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.cli.app import App
    from ghcrctl.cli.explanations import Explanation
    from ghcrctl.cli.format.style import Style

_MAX_LINE_CELLS = 80
# Narrower terminals wrap the lines themselves.
_MIN_LINE_CELLS = 20
# With fewer cells, the meaning is printed on the line below its code.
_MIN_MEANING_CELLS = 24


@click.command(
    cls=Command,
    needs_settings=False,
    examples="""
    ghcrctl explain manifest-unknown
    ghcrctl explain 4
    ghcrctl explain 'error: cannot pull from ghcr.io/OWNER/IMAGE: access denied'
    ghcrctl explain
    """,
)
@click.argument("words", metavar="[CODE|STATUS|TEXT]...", nargs=-1)
@format_option
@pass_app
def command(app: App, *, words: tuple[str, ...], format_: str | None) -> None:
    """Explain an error code, an exit status or a pasted error message.

    Shows its meaning, common causes, remedies and an example. Without arguments, all codes and
    statuses are listed.
    """
    documents = Documents(format_)
    width = max(min(app.width or _MAX_LINE_CELLS, _MAX_LINE_CELLS), _MIN_LINE_CELLS)
    if not words:
        listed = list(_all())
        app.write(documents.many(map(_document, listed)) if documents else _list(width))
        return
    found = find(" ".join(words))
    style = replace(app.style, width=app.width and width)
    app.write(documents.one(_document(found)) if documents else _page(found, width, style))


def _all() -> Iterator[Explanation]:
    """Yield every status, each followed by its codes."""
    for status in ExitStatus:
        explained = explain_status(status)
        yield explained
        yield from map(explain_code, explained.codes)


def _document(found: Explanation) -> dict[str, Any]:
    is_status = found.name == str(found.status.value)
    return {
        "Code": None if is_status else found.name,
        "ExitStatus": found.status.value,
        "Meaning": found.meaning,
        "More": list(found.more),
        "Causes": list(found.causes),
        "Remedies": list(found.remedies),
        "Codes": list(found.codes),
        "Example": found.example or None,
    }


def _list(width: int) -> str:
    return "".join(_entry(found, width) for found in _all())


def _entry(found: Explanation, width: int) -> str:
    is_status = found.name == str(found.status.value)
    name = f"{found.name:<5}" if is_status else f"       {found.name:<22}"
    indent, above = len(name), ""
    if not is_status and width - indent < _MIN_MEANING_CELLS:
        indent, above = 9, f"{name.rstrip()}\n"
        name = " " * indent
    rest = f"\n{' ' * indent}".join(textwrap.wrap(found.meaning, width - indent))
    return f"{above}{name}{rest}\n"


def _page(found: Explanation, width: int, style: Style) -> str:
    """Return an explanation as text."""
    if style.is_full_terminal:
        from ghcrctl.cli.console import markdown

        return markdown(_markdown(found), style)
    parts = [f"{style.paint(_title(found), Meaning.HEADER)}\n\n"]
    parts += [f"{textwrap.fill(text, width)}\n\n" for text in (found.meaning, *found.more)]
    for heading, items in (("Causes", found.causes), ("What to do", found.remedies)):
        if items:
            shown = style.paint(f"{heading}:", Meaning.HEADER)
            parts.append(f"{shown}\n{_bullets(items, width)}\n")
    if found.codes:
        codes = textwrap.fill(", ".join(found.codes), width - 2, break_on_hyphens=False)
        parts.append(f"{style.paint('Codes:', Meaning.HEADER)}\n{textwrap.indent(codes, '  ')}\n\n")
    if found.example:
        parts.append(
            f"{style.paint('Example:', Meaning.HEADER)}\n{textwrap.indent(found.example, '  ')}\n"
        )
    return "".join(parts).rstrip("\n") + "\n"


def _markdown(found: Explanation) -> str:
    """Return one explanation as Markdown."""
    parts = [f"**{_title(found)}**", found.meaning, *found.more]
    for heading, items in (("Causes", found.causes), ("What to do", found.remedies)):
        if items:
            parts += [f"**{heading}:**", "\n".join(f"- {item}" for item in items)]
    if found.codes:
        parts += ["**Codes:**", ", ".join(found.codes)]
    if found.example:
        parts += ["**Example:**", f"```text\n{found.example}\n```"]
    return "\n\n".join(parts) + "\n"


def _title(found: Explanation) -> str:
    if found.name == str(found.status.value):
        return f"exit status {found.name}"
    return f"{found.name} (exit status {found.status.value})"


def _bullets(items: tuple[str, ...], width: int) -> str:
    return "".join(
        textwrap.fill(item, width, initial_indent="  - ", subsequent_indent="    ") + "\n"
        for item in items
    )
