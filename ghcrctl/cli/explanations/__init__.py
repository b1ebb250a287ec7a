"""Explanations of error codes and exit statuses, for ``ghcrctl explain`` and the documentation.

Each code has a file ``CODE.md``, and each status a file ``status-N.md``. Tests produce the output
in their examples.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ghcrctl import errors
from ghcrctl.errors import ExitStatus, GhcrctlError

_HEADING = re.compile(r"^## (.+)\n", re.MULTILINE)
_SAME_EXAMPLE = re.compile(r"^Example: (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of an error code or an exit status.

    Args:
        name: the code, or the status as digits.
        status: the exit status.
        meaning: the meaning in one paragraph.
        more: more paragraphs.
        causes: common causes.
        remedies: what to do.
        words: phrases in error messages with this code, including those of registries.
        example: a command line, its output and its exit status; may be empty.
        codes: the error codes with this exit status; only for statuses.
    """

    name: str
    status: ExitStatus
    meaning: str
    more: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    example: str = ""
    codes: tuple[str, ...] = ()


@cache
def statuses_by_code() -> dict[str, ExitStatus]:
    """Return all error codes with their exit statuses, ordered by status and code."""
    found = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, GhcrctlError)
    ]
    found.sort(key=lambda error: (error.exit_status, error.code))
    return {error.code: error.exit_status for error in found}


def explain_code(code: str) -> Explanation:
    """Return the explanation of an existing error code."""
    meaning, more, lists, example = _parts(code)
    return Explanation(
        code,
        statuses_by_code()[code],
        meaning,
        more,
        causes=_items(lists.get("Causes", "")),
        remedies=_items(lists.get("What to do", "")),
        words=tuple(word.strip() for word in lists.get("Words", "").split("|") if word.strip()),
        example=example,
    )


def explain_status(status: ExitStatus) -> Explanation:
    """Return the explanation of an exit status."""
    meaning, more, _, example = _parts(f"status-{status.value}")
    codes = tuple(code for code, other in statuses_by_code().items() if other is status)
    return Explanation(str(status.value), status, meaning, more, example=example, codes=codes)


def _parts(name: str) -> tuple[str, tuple[str, ...], dict[str, str], str]:
    """Return the first paragraph, the other paragraphs, the sections and the example of a file."""
    text = (files(__name__) / f"{name}.md").read_text(encoding="utf-8")
    same = _SAME_EXAMPLE.search(text)
    head, *rest = _HEADING.split(_SAME_EXAMPLE.sub("", text))
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    first, *others = (" ".join(part.split()) for part in head.strip().split("\n\n"))
    example = _parts(same[1])[3] if same else _block(sections.get("Example", ""))
    return first, tuple(others), sections, example


def _items(text: str) -> tuple[str, ...]:
    """Return the items of a Markdown list, each as one line."""
    return tuple(" ".join(item.split()) for item in re.split(r"^- ", text, flags=re.MULTILINE)[1:])


def _block(text: str) -> str:
    """Return the content of a fenced block."""
    return text.partition("```console\n")[2].partition("\n```")[0]
