"""Finds the explanation for a code, an exit status or a pasted error message."""

from __future__ import annotations

import difflib
import re

from ghcrctl.cli.explanations import (
    Explanation,
    explain_code,
    explain_status,
    statuses_by_code,
)
from ghcrctl.errors import ExitStatus, NotFoundError

_STATUS = re.compile(r"(?:exit |exited |return )?(?:status |code )?(\d{1,3})", re.IGNORECASE)
_SHOWN_STATUS = re.compile(r"\(status (\d{1,3})\)")
_CODE_LIKE = re.compile(r"[\w.-]+")


def find(text: str) -> Explanation:
    """Return the explanation for a code, a status or a message.

    Args:
        text: such as ``manifest-unknown``, ``4``, ``error: denied`` or a whole error message.

    Raises:
        NotFoundError: no explanation matches.
    """
    query = text.strip()
    codes = statuses_by_code()
    code = query.lower().replace("_", "-")
    if code in codes:
        return explain_code(code)
    number = _STATUS.fullmatch(query)
    if number:
        return _explain_number(int(number[1]))
    found = _find_code(query)
    if found:
        return explain_code(found)
    shown = _SHOWN_STATUS.search(query)
    if shown:
        return _explain_number(int(shown[1]))
    raise _not_found(query)


def _explain_number(number: int) -> Explanation:
    known = [status.value for status in ExitStatus]
    if number not in known:
        raise NotFoundError(
            f"unknown exit status {number}: expected one of {', '.join(map(str, known))}",
            hint="if a signal ended the program, shells report 128 plus the number of the signal",
        )
    return explain_status(ExitStatus(number))


def _find_code(text: str) -> str | None:
    """Return the code named in a message, or else the code with the longest phrase in it."""
    named = [code for code in statuses_by_code() if code in _CODE_LIKE.findall(text.lower())]
    # Codes without a hyphen, such as `usage`, are common words, so phrases take precedence.
    plain = text.lower()
    matches = [
        (len(word), code)
        for code in statuses_by_code()
        for word in explain_code(code).words
        if _has(plain, word.lower())
    ]
    for code in named:
        if "-" in code or not matches:
            return code
    return max(matches)[1] if matches else None


def _has(text: str, word: str) -> bool:
    """Return whether a message contains a phrase as whole words."""
    start = text.find(word)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(word) :][:1]
        if not (_joins(before, word[0]) or _joins(after, word[-1])):
            return True
        start = text.find(word, start + 1)
    return False


def _joins(neighbour: str, edge: str) -> bool:
    return bool(neighbour) and (neighbour + edge).replace("_", "a").isalnum()


def _not_found(text: str) -> NotFoundError:
    near = difflib.get_close_matches(text.lower(), statuses_by_code(), 3, 0.6)
    suggestion = f"did you mean {' or '.join(f'`{code}`' for code in near)}? " if near else ""
    shown = text if len(text) <= 60 else f"{text[:60]}..."
    return NotFoundError(
        f"no error code or exit status matches `{shown}`",
        hint=f"{suggestion}`ghcrctl explain` lists all codes and statuses",
    )
