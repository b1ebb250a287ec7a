"""Code in pages has a language, so that it is highlighted and its prompts are not copied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import ROOT, rule_for

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [p for p in (ROOT / "docs").rglob("*.md") if "_build" not in p.parts] + [ROOT / "README.md"]
_FENCE = re.compile(r"^ *(?P<marks>```+|:::+)(?P<language>.*)$")


def without_language(text: str) -> list[int]:
    """Return the lines, from 1, on which a fenced block without a language begins."""
    found = []
    opened = ""
    for number, line in enumerate(text.splitlines(), 1):
        match = _FENCE.match(line)
        if match and not opened:
            opened = match["marks"]
            if not match["language"].strip():
                found.append(number)
        elif match and match["marks"] == opened and not match["language"]:
            opened = ""
    return found


@rule_for(PAGES)
def test_each_fence_has_a_language(path: Path) -> None:
    assert not without_language(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("```sh\nls\n```\n", []),
        ("```\nls\n```\n", [1]),
        ("text\n\n```text\n```\n\n- item\n\n  ```\n  ls\n  ```\n", [8]),
        ("````md\n```\n````\n", []),
    ],
)
def test_a_fence_without_a_language_is_noticed(text: str, lines: list[int]) -> None:
    assert without_language(text) == lines
