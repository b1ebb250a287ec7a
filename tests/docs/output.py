"""Compare the output of a command with the output that a page shows.

Digests, IDs, sizes, ages and versions differ between runs and compare as equal. In a page, ``...``
matches any text, and on a line of its own any lines.
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
    (re.compile(r"^ghcrctl \d+\.\d+\.\d+\S*$", re.MULTILINE), "ghcrctl VERSION"),
    (re.compile(r" {2,}"), "  "),
)

_LONG_DIGEST = re.compile(r"(\bsha256[:-][0-9a-f]{12})[0-9a-f]{52}")
# Characters that shortening a digest removes: 52 of its 64, less the dots.
_CUT = 49


def matches(said: str, printed: str) -> bool:
    """Return whether the output in a page matches the printed output."""
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
    """Sort the lines of layers, which complete in any order."""
    runs = itertools.groupby(lines, key=lambda line: line.startswith("ID: "))
    return [line for layers, run in runs for line in (sorted(run) if layers else run)]


def shortened(text: str) -> str:
    """Return output as a page shows it: digests shortened, columns still aligned."""
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    paragraphs = itertools.groupby(lines, key=bool)
    return "\n".join(line for _, group in paragraphs for line in _narrowed(list(group))) + "\n"


def _narrowed(lines: list[str]) -> list[str]:
    """Shorten the digests of adjacent lines, column by column from the right."""
    while places := [match.start() for line in lines for match in _LONG_DIGEST.finditer(line)]:
        column = max(places)
        lines = [_narrowed_at(line, column) for line in lines]
    return lines


def _narrowed_at(line: str, column: int) -> str:
    """Shorten the digest at a column, or else remove as much padding from that cell."""
    digest = _LONG_DIGEST.match(line, column)
    if digest:
        return line[:column] + digest[1] + "..." + line[digest.end() :]
    padding = re.compile(rf"(?<=\S) {{{_CUT},}}(?=  )").search(line, column)
    return line[: padding.end() - _CUT] + line[padding.end() :] if padding else line
