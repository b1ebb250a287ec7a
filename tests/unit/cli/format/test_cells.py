"""Cutting text to a width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.cli.format.cells import display_width, fitted

_FAMILY = "👩\u200d👩\u200d👧"
_CHARACTERS = ["a", "\u00e9", "e\u0301", "日", "😀", _FAMILY, "❤\ufe0f", "\u200d"]
_TEXT = st.lists(st.sampled_from(_CHARACTERS)).map("".join)


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 4, "abc…"),
        ("abcdef", 1, "…"),
        ("abcdef", 0, ""),
        ("日本語", 4, "日…"),
        (f"a{_FAMILY}bc", 4, f"a{_FAMILY}…"),
        (f"a{_FAMILY}bc", 3, "a…"),
    ],
)
def test_text_is_cut_between_characters(text: str, width: int, cut: str) -> None:
    assert fitted(text, width, "…") == cut


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("registry/octo/app", 10, "reg…to/app"),
        (f"registry/{_FAMILY}日", 6, f"r…{_FAMILY}日"),
        (f"registry/{_FAMILY}日", 5, "r…日"),
    ],
)
def test_the_middle_is_cut_between_characters(text: str, width: int, cut: str) -> None:
    assert fitted(text, width, "…", in_the_middle=True) == cut


@given(text=_TEXT, width=st.integers(0, 20), in_the_middle=st.booleans())
def test_cut_text_always_fits(text: str, width: int, *, in_the_middle: bool) -> None:
    assert display_width(fitted(text, width, "…", in_the_middle=in_the_middle)) <= width
