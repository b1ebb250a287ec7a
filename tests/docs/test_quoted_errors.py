"""Errors and warnings that pages quote are messages of the program."""

from __future__ import annotations

import ast
import errno
import os
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import ROOT, modules, parsed, rule_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The log and the changelog quote old messages. Troubleshooting takes its own from `explain`.
_OTHERS = {"usability-log", "changelog", "troubleshooting"}
PAGES = [
    path
    for path in ((ROOT / "docs").rglob("*.md"))
    if not {"_build", "reference", "design"} & set(path.parts) and path.stem not in _OTHERS
]
_QUOTED = re.compile(r"^ *(?:error|warning): (.+)$", re.MULTILINE)
# What differs from case to case: quotes of registries, names, addresses and paths.
_VARIABLE = re.compile(r" \(\S+ says: .*\)|\S*[/.:@]\S*\w")
_OPENSSL = (("unable to get local issuer certificate",),)
_LEAST_FIXED = 10
_LEAST_SHARE = 0.5


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
    ours = {texts for tree in trees for texts in fixed_parts(tree)}
    return (*ours, *((os.strerror(number),) for number in errno.errorcode), *_OPENSSL)


def is_message(line: str) -> bool:
    """Check whether strings of the package cover most of a line."""
    shown = _VARIABLE.sub("", line)
    covered = {at for texts in messages() for at in _places(texts, shown)}
    return len(covered) >= _LEAST_SHARE * len(shown)


def _places(texts: tuple[str, ...], line: str) -> set[int]:
    """Return where the fixed parts of a string are in a line; nowhere if one is missing."""
    start, places = 0, set()
    for text in map(str.strip, texts):
        found = line.find(text, start)
        if found < 0:
            return set()
        start = found + len(text)
        places |= set(range(found, start))
    return places


@rule_for(PAGES)
def test_quoted_messages_are_those_of_the_program(path: Path) -> None:
    quoted = _QUOTED.findall(path.read_text(encoding="utf-8"))
    assert not [line for line in quoted if not is_message(line)]


@pytest.mark.parametrize(
    "line", ["the cow jumped over the moon", "cannot fly to the moon: no fuel"]
)
def test_a_message_of_no_program_is_noticed(line: str) -> None:
    assert not is_message(line)
