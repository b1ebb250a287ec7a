"""Extract the commands of a page, and the output that the page shows for each.

A ``sh`` block is run. A ``text`` block right after it is its expected output. A block of another
language after a line that ends with a file name and a colon is the content of that file. A block
after a comment ``<!-- not run: REASON -->`` is skipped; readers do not see the comment. Right below
the title, the comment applies to the whole page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.architecture.sources import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DOCS = ROOT / "docs"
_PAGES = ("index.md", "quick-start.md", "tutorial.md")
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w{}-]*)[^`]*$")
_FILE = re.compile(r"`(?P<name>[\w./-]+\.\w+)`:\Z")
_NOT_RUN = re.compile(r"<!-- not run: (?P<reason>.+?) -->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """Commands of a page.

    Args:
        line: line number of the opening fence, from 1.
        text: the commands.
        output: the expected output; ``None`` if the page shows none.
        output_lines: first and last line of that output in the page, from 0.
        reason: why the block is not run; empty if it is.
    """

    line: int
    text: str
    output: str | None = None
    output_lines: tuple[int, int] = (0, 0)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fenced:
    """A fenced block: its language, the lines of its fences from 0, and its text."""

    language: str
    start: int
    end: int
    text: str


def pages() -> list[Path]:
    """Return the pages whose commands are run: those that a reader follows step by step."""
    folders = [DOCS / "how-to", DOCS / "concepts"]
    inner = [page for folder in folders for page in sorted(folder.glob("*.md"))]
    return [ROOT / "README.md", *(DOCS / name for name in _PAGES), *inner]


def blocks_of(text: str) -> list[Block]:
    """Return the commands of a page, in order."""
    lines = text.splitlines()
    whole = _reason(text.partition("\n\n")[2].partition("\n\n")[0])
    fences = fenced(lines)
    found = []
    for number, block in enumerate(fences):
        before = "\n".join(lines[: block.start]).rstrip()
        file = _FILE.search(before)
        if file and block.language not in {"sh", "text", "console"}:
            found.append(Block(block.start + 1, _writing(file["name"], block.text), reason=whole))
        if block.language != "sh":
            continue
        after = fences[number + 1] if number + 1 < len(fences) else None
        shown = (
            after and after.language == "text" and _only_blank(lines[block.end + 1 : after.start])
        )
        found.append(
            Block(
                block.start + 1,
                block.text,
                after.text if after and shown else None,
                (after.start + 1, after.end) if after and shown else (0, 0),
                whole or _reason(before),
            )
        )
    return found


def fenced(lines: list[str]) -> list[Fenced]:
    """Return the fenced blocks of a page, in order."""
    found = []
    opened: tuple[int, str, str] | None = None
    for number, line in enumerate(lines):
        match = _FENCE.match(line)
        if opened is None and match:
            opened = number, match["language"], match["indent"]
        elif opened and line.strip() == "```":
            start, language, indent = opened
            inner = [text.removeprefix(indent) for text in lines[start + 1 : number]]
            found.append(Fenced(language, start, number, "\n".join(inner) + "\n"))
            opened = None
    return found


def _only_blank(lines: list[str]) -> bool:
    return not any(line.strip() for line in lines)


def _writing(name: str, text: str) -> str:
    """Return the command that creates a file."""
    return f"mkdir -p \"$(dirname {name})\"\ncat > {name} <<'END-OF-{name}'\n{text}END-OF-{name}\n"


def _reason(before: str) -> str:
    """Return why a block is not run, from the comment right before it; empty if it is run."""
    paragraph = before.rpartition("\n\n")[2]
    match = _NOT_RUN.search(paragraph)
    return match["reason"] if match else ""
