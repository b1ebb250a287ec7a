"""Parses ``WWW-Authenticate`` headers.

Spec: RFC 9110, sections 11.2 and 11.6.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PARAM = re.compile(r"[ \t]*=[ \t]*(?:\"((?:[^\"\\]|\\.)*)\"?|([^\s,\"]*))", re.DOTALL)
_TOKEN68 = re.compile(r"[ \t]+([A-Za-z0-9._~+/-]+=*)[ \t]*(?=,|\Z)")

# Limit for parsing, in characters: real headers are much shorter, but a server may send megabytes.
MAX_HEADER = 16 * 1024


@dataclass(frozen=True, slots=True)
class Challenge:
    """A scheme and its parameters, both with lower-case names."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    token: str = ""


def parse_challenges(header: str) -> list[Challenge]:
    """Parse all challenges of a header, skipping malformed ones and text beyond the limit."""
    header = header[:MAX_HEADER]
    challenges: list[tuple[str, dict[str, str], str]] = []
    position = 0
    while position < len(header):
        match = _TOKEN.match(header, position)
        if not match:
            position += 1
            continue
        name = match[0].lower()
        value = _PARAM.match(header, match.end())
        if value and challenges:
            challenges[-1][1].setdefault(name, _unquoted(value))
            position = value.end()
            continue
        token = _TOKEN68.match(header, match.end())
        challenges.append((name, {}, token[1] if token else ""))
        position = token.end() if token else match.end()
    return [Challenge(scheme, parameters, token) for scheme, parameters, token in challenges]


def _unquoted(match: re.Match[str]) -> str:
    if match[1] is None:
        return match[2]
    return re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL)
