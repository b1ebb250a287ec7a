"""Errors, warnings and hints that pages quote are messages of the program."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import ROOT, modules, parsed, rule_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The log and the changelog quote the messages of their time.
_OLD = {"usability-log", "changelog"}
PAGES = [
    path
    for path in ((ROOT / "docs").rglob("*.md"))
    if not {"_build", "reference", "design"} & set(path.parts) and path.stem not in _OLD
]
_QUOTED = re.compile(r"^ *(?:error|warning|hint): (.+)$", re.MULTILINE)
_LEAST_FIXED = 10


def fixed_parts(tree: ast.AST) -> Iterator[tuple[str, ...]]:
    """Yield the fixed parts of each string and f-string, long ones only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            pieces = [part.value for part in node.values if isinstance(part, ast.Constant)]
        elif isinstance(node, ast.Constant):
            pieces = [node.value]
        else:
            continue
        texts = tuple(piece for piece in pieces if isinstance(piece, str) and piece.strip())
        if texts and max(map(len, texts)) >= _LEAST_FIXED:
            yield texts


@cache
def messages() -> tuple[tuple[str, ...], ...]:
    """Return the fixed parts of each string in the package."""
    trees = (parsed(path) for path in modules("ghcrctl"))
    return tuple({texts for tree in trees for texts in fixed_parts(tree)})


def is_message(line: str) -> bool:
    """Check whether a line contains all fixed parts of a string, in order; ``...`` ends it."""
    shown = line.partition("...")[0] if line.endswith("...") else line
    return any(_in_order(texts, shown) for texts in messages())


def _in_order(texts: tuple[str, ...], line: str) -> bool:
    start = 0
    for text in texts:
        found = line.find(text.strip(), start)
        if found < 0:
            return False
        start = found + len(text.strip())
    return True


@rule_for(PAGES)
def test_quoted_messages_are_those_of_the_program(path: Path) -> None:
    quoted = _QUOTED.findall(path.read_text(encoding="utf-8"))
    assert not [line for line in quoted if not is_message(line)]


@pytest.mark.parametrize(
    "line", ["the cow jumped over the moon", "cannot fly to the moon: no fuel"]
)
def test_a_message_of_no_program_is_noticed(line: str) -> None:
    assert not is_message(line)
