"""What a command prints beside what a page says it prints.

Digests, IDs, sizes and ages differ from run to run, and so they count as the same. In a page
``...`` stands for any text, on a line of its own for any lines.
"""

from __future__ import annotations

import itertools
import re

_SPAN = r"(?:\b\d+|\b[Aa]bout an?|Less than a|\b[Aa]n?)"
_UNIT = r"(?:second|minute|hour|day|week|month|year)s?(?: ago)?\b"
_MASKS = (
    (re.compile(r"sha256:[0-9a-f]{6,64}(?:\.\.\.)?"), "sha256:*"),
    (re.compile(r"\b[0-9a-f]{12}(?:[0-9a-f]{52}\b|\.\.\.)"), "SUM"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12}\b"), "ID"),
    (re.compile(rf"{_SPAN} {_UNIT}"), "AGE"),
    (
        re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"),
        "TIME",
    ),
    (re.compile(r"\b\d+(?:\.\d+)?[kMG]?B\b"), "SIZE"),
    (re.compile(r"127\.0\.0\.1:\d{4,5}"), "127.0.0.1:PORT"),
    (re.compile(r" {2,}"), "  "),
)


def matches(said: str, printed: str) -> bool:
    """Tell whether a page says what was printed."""
    pattern = re.escape(_masked(said))
    pattern = re.sub(r"(?m)^\\\.\\\.\\\.\\\n", "(?:.*\n)*?", pattern)
    return re.fullmatch(pattern.replace(r"\.\.\.", ".*"), _masked(printed)) is not None


def _masked(text: str) -> str:
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    masked = "\n".join(lines) + "\n"
    for pattern, mask in _MASKS:
        masked = pattern.sub(mask, masked)
    return "\n".join(_ordered(masked.splitlines())) + "\n"


def _ordered(lines: list[str]) -> list[str]:
    """Sort the lines of layers that moved at once, since any may be the first to be there."""
    runs = itertools.groupby(lines, key=lambda line: line.startswith("ID: "))
    return [line for layers, run in runs for line in (sorted(run) if layers else run)]


def shortened(text: str) -> str:
    """Return what was printed as a page shows it: digests and their columns short."""
    lines = "\n".join(line.rstrip() for line in text.strip("\n").splitlines())
    short = re.sub(r"(?<=\bsha256[:/])([0-9a-f]{12})[0-9a-f]{52}", r"\1...", lines)
    return (re.sub(r"(?<=\S) {8,}", "   ", short) if short != lines else lines) + "\n"
