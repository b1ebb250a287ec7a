"""``ghcrctl packages doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.style import Meaning
from ghcrctl.cli.options import format_option_beside, pass_app, registry_options
from ghcrctl.cli.results import Results
from ghcrctl.errors import UsageError
from ghcrctl.operations.packages.doctor import Health, examine

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.operations.packages.doctor import Sign

_MARKS = {Health.GOOD: "ok", Health.NOTE: "--", Health.WARNING: "!!", Health.BAD: "XX"}
_MEANINGS = {Health.GOOD: Meaning.GOOD, Health.WARNING: Meaning.WARN, Health.BAD: Meaning.BAD}


@click.command(
    cls=Command,
    examples="""
    ghcrctl packages doctor
    ghcrctl packages doctor OWNER/IMAGE
    ghcrctl packages doctor OWNER/IMAGE --open
    """,
)
@click.argument("name", metavar="[OWNER/IMAGE]", required=False)
@click.option("--open", "opens", is_flag=True, help="Open the settings page of the first problem.")
@format_option_beside("text")
@registry_options
@pass_app
def command(app: App, *, name: str | None, opens: bool, format_: str | None) -> None:
    """Show which token is used, its permissions, and problems with access to a package.

    For each problem, shows the cause, the fix and the settings page on GitHub. Nothing is changed,
    and no manifest is fetched. The exit status is that of the first problem.
    """
    results = Results(app, format_)
    with app.session() as session:
        signs = []
        for sign in examine(session, name):
            signs.append(sign)
            results.add(_document(sign))
            if not results.are_documents:
                _show(app, sign)
    results.end()
    if opens:
        _open(app, signs)
    bad = [sign for sign in signs if sign.health is Health.BAD]
    if bad:
        raise click.exceptions.Exit(bad[0].status)


def _document(sign: Sign) -> dict[str, object]:
    return {
        "Question": sign.what,
        "Health": sign.health.value,
        "Message": sign.message,
        "Mend": sign.mend or None,
        "Page": sign.page or None,
    }


def _show(app: App, sign: Sign) -> None:
    mark = app.style.paint(_MARKS[sign.health], _MEANINGS.get(sign.health))
    # The mark may contain color codes. `out` escapes control characters in the rest.
    app.write(f"{mark} ")
    app.out(f"{sign.what}: {sign.message}")
    if sign.mend:
        app.out(f"     fix: {sign.mend}")
    if sign.page:
        app.out(f"     page: {sign.page}")


def _open(app: App, signs: list[Sign]) -> None:
    ordered = sorted(signs, key=lambda s: (s.health is not Health.BAD, s.health is Health.GOOD))
    pages = [sign.page for sign in ordered if sign.page]
    if not pages:
        raise UsageError("no page to open: no problems found")
    from ghcrctl.programs.browser import open_page

    if not open_page(pages[0], app.settings.environ):
        app.warn(f"cannot open a browser; open {pages[0]}")
