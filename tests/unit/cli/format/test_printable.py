from __future__ import annotations

import pytest

from ghcrctl.cli.format.printable import printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("", ""),
        ("日本 é 😀", "日本 é 😀"),
        ("C:\\temp", "C:\\temp"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x1b]8;;http://evil\x07link", "\\x1b]8;;http://evil\\x07link"),
        ("a\tb\nc\rd", "a\\tb\\nc\\rd"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("abc\u202edef", "abc\\u202edef"),
        ("\u2028\ufeff\u200b", "\\u2028\\ufeff\\u200b"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("no\u00a0break", "no\u00a0break"),
        ("👩\u200d💻 नम\u200dस्ते", "👩\u200d💻 नम\u200dस्ते"),
    ],
)
def test_harmful_characters_become_visible(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_characters_can_be_kept() -> None:
    assert printable("a\tb\nc\x1b", keep="\t\n") == "a\tb\nc\\x1b"
