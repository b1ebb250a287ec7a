"""Sample output in pages is aligned, and pages do not mention their tests."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import ROOT, name_of
from tests.docs.output import shortened

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted(
    path
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if not {"_build", "reference", "changelog.md"} & set(path.parts)
)
each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
_HEADER = re.compile(r"^[A-Z][A-Z ]*(?: {2,}[A-Z][A-Z ]*)+$")
_BLOCK = re.compile(r"^ *```(?:text|console)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def misaligned(block: str) -> list[str]:
    """Return the rows of tables whose cells do not start below a heading."""
    lines = block.splitlines()
    found = []
    for number, header in enumerate(lines):
        if not _HEADER.match(header):
            continue
        starts = [match.start() for match in re.finditer(r"(?:^|(?<=  ))\S", header)]
        rows = itertools.takewhile(_is_row, lines[number + 1 :])
        found += [row for row in rows if not _fits(row, starts)]
    return found


def _is_row(line: str) -> bool:
    return "  " in line and not _HEADER.match(line)


def _fits(row: str, starts: list[int]) -> bool:
    return all(row[start - 1 : start] in {"", " "} for start in starts if start)


@each_page
def test_columns_line_up(page: Path) -> None:
    blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
    assert not [row for block in blocks for row in misaligned(block)]


@each_page
def test_a_page_does_not_mention_its_tests(page: Path) -> None:
    assert "not run by the tests" not in page.read_text(encoding="utf-8").lower()


def test_a_misaligned_row_is_found() -> None:
    table = "NAME   SIZE\napp    3MB\nlonger-name   4MB\n"
    assert misaligned(table) == ["longer-name   4MB"]


@pytest.mark.parametrize("empty", ["<none>", ""])
def test_shortening_digests_keeps_columns_aligned(empty: str) -> None:
    digest = f"sha256:{'a' * 64}"
    rows = [("NAME", "DIGEST", "SIZE"), ("app", digest, "3MB"), ("longer", empty, "40MB")]
    table = "".join(f"{name:<9}{cell:<74}{size}\n" for name, cell, size in rows)
    short = shortened(table)
    assert "sha256:aaaaaaaaaaaa..." in short
    assert not misaligned(short)
