"""Digests in tables that are wider than the terminal."""

from __future__ import annotations

import pytest

from ghcrctl.cli.format.columns import cells_of, headers_of, shapes_of
from ghcrctl.cli.format.style import PLAIN, Style
from ghcrctl.cli.format.table_layout import lay_out

_DIGEST = "sha256:" + "0123456789ab" + "c" * 52
_FIELDS = ("Repository", "Tag", "Digest", "ID", "CreatedSince", "Size")
_ROW = {
    "Repository": "ghcr.io/octo/app",
    "Tag": "latest",
    "Digest": _DIGEST,
    "ID": "29a2976ce489",
    "CreatedSince": "5 hours ago",
    "Size": "19.7MB",
}


def digest_shown(style: Style, **values: str) -> str:
    table = [headers_of(_FIELDS), cells_of({**_ROW, **values}, _FIELDS)]
    _, row = lay_out(table, shapes_of(_FIELDS), style).splitlines()
    assert style.width is None or len(row) <= style.width
    return row.split()[2]


@pytest.mark.parametrize("width", [80, 100, 130])
def test_a_digest_is_short_where_the_full_one_does_not_fit(width: int) -> None:
    assert digest_shown(Style(width=width)) == "sha256:0123456789ab"


def test_a_very_narrow_terminal_shows_the_digits() -> None:
    assert digest_shown(Style(width=64)) == "0123456789ab"


@pytest.mark.parametrize("style", [PLAIN, Style(width=140), Style(width=80).uncut(wanted=True)])
def test_a_digest_is_complete_in_pipes_and_where_it_fits(style: Style) -> None:
    assert digest_shown(style) == _DIGEST


def test_the_short_form_leaves_room_for_the_name() -> None:
    table = [headers_of(_FIELDS), cells_of(_ROW, _FIELDS)]
    assert "ghcr.io/octo/app " in lay_out(table, shapes_of(_FIELDS), Style(width=84))


@pytest.mark.parametrize("text", ["sha256:0123", "octo/app@" + _DIGEST, "<none>"])
def test_other_text_is_not_a_digest(text: str) -> None:
    assert digest_shown(Style(width=200), Digest=text) == text
