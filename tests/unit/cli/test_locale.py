"""Characters for pipes in the locale C."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli import streams
from ghcrctl.cli.format.style import ASCII, UNICODE, style_of

if TYPE_CHECKING:
    from ghcrctl.cli.format.style import Glyphs


@pytest.mark.parametrize(
    ("locale", "glyphs"),
    [("C", ASCII), ("POSIX", ASCII), ("C.UTF-8", UNICODE), ("de_DE.UTF-8", UNICODE)],
)
def test_the_locale_c_draws_trees_in_ascii_and_keeps_the_encoding(
    locale: str, glyphs: Glyphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_IS_WINDOWS", False)
    monkeypatch.setattr("locale.setlocale", lambda _: locale)
    style = style_of(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), {}, None)
    assert style.glyphs == glyphs
    assert style.has_all_characters
