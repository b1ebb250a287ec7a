"""Which explanation is meant: by a code, an exit status, or the text of an error.

What belongs here: from what a person types or pastes to a code or a status.
"""

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
_MADE = re.compile(r"[\w.-]+")


def find(text: str) -> Explanation:
    """Find what a text asks for: ``manifest-unknown``, ``4``, ``error: denied``, a whole message.

    Raises:
        NotFoundError: there is nothing like it.
    """
    asked = text.strip()
    codes = statuses_by_code()
    code = asked.lower().replace("_", "-")
    if code in codes:
        return explain_code(code)
    number = _STATUS.fullmatch(asked)
    if number:
        return _of_status(int(number[1]))
    found = _in_text(asked)
    if found:
        return explain_code(found)
    shown = _SHOWN_STATUS.search(asked)
    if shown:
        return _of_status(int(shown[1]))
    raise _nothing(asked)


def _of_status(number: int) -> Explanation:
    known = [status.value for status in ExitStatus]
    if number not in known:
        raise NotFoundError(
            f"ghcrctl never ends with status {number}",
            hint=f"it ends with one of {', '.join(map(str, known))}; a shell adds 128 and the "
            "number of the signal that ended a program",
        )
    return explain_status(ExitStatus(number))


def _in_text(text: str) -> str | None:
    """Return the code that a text names, else the one whose words are the longest found in it."""
    named = [code for code in statuses_by_code() if code in _MADE.findall(text.lower())]
    # Words such as `usage` are everyday ones: what messages say tells more.
    plain = text.lower()
    told = [
        (len(word), code)
        for code in statuses_by_code()
        for word in explain_code(code).words
        if _has(plain, word.lower())
    ]
    for code in named:
        if "-" in code or not told:
            return code
    return max(told)[1] if told else None


def _has(text: str, word: str) -> bool:
    """Tell whether words stand in a text, and not as a part of others."""
    start = text.find(word)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(word) :][:1]
        if not (_joins(before, word[0]) or _joins(after, word[-1])):
            return True
        start = text.find(word, start + 1)
    return False


def _joins(neighbour: str, edge: str) -> bool:
    return bool(neighbour) and (neighbour + edge).replace("_", "a").isalnum()


def _nothing(text: str) -> NotFoundError:
    near = difflib.get_close_matches(text.lower(), statuses_by_code(), 3, 0.6)
    asked = f"did you mean {' or '.join(f'`{code}`' for code in near)}? " if near else ""
    shown = text if len(text) <= 60 else f"{text[:60]}..."
    return NotFoundError(
        f"no error code or exit status is like `{shown}`",
        hint=f"{asked}`ghcrctl explain` lists all of them",
    )
