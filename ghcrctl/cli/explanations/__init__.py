"""What error codes and exit statuses mean: the one source of ``ghcrctl explain`` and of the docs.

What belongs here: a text a code (``CODE.md``) and a text a status (``status-N.md``), and reading
them. What does not: finding the one that is meant (``finding``). Their examples are real: tests
bring each of them about.
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
    """What a code, or a status, means.

    Args:
        name: the code, or the status in digits.
        status: the exit status.
        meaning: in a paragraph.
        more: further paragraphs.
        causes: the usual ones.
        remedies: what to do.
        words: what is in messages that mean this, registries' own among them.
        example: a command line, what it prints and its exit status; empty where nothing makes it.
        codes: of a status, the codes that end with it.
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
    """Return every code with its exit status, by status, then code."""
    found = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, GhcrctlError)
    ]
    found.sort(key=lambda error: (error.exit_status, error.code))
    return {error.code: error.exit_status for error in found}


def explain_code(code: str) -> Explanation:
    """Return what a code means; it must be one."""
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
    """Return what an exit status means."""
    meaning, more, _, example = _parts(f"status-{status.value}")
    codes = tuple(code for code, its in statuses_by_code().items() if its is status)
    return Explanation(str(status.value), status, meaning, more, example=example, codes=codes)


def _parts(name: str) -> tuple[str, tuple[str, ...], dict[str, str], str]:
    """Read a text: its first paragraph, the others, its sections and its example."""
    text = (files(__name__) / f"{name}.md").read_text(encoding="utf-8")
    same = _SAME_EXAMPLE.search(text)
    head, *rest = _HEADING.split(_SAME_EXAMPLE.sub("", text))
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    first, *others = (" ".join(part.split()) for part in head.strip().split("\n\n"))
    example = _parts(same[1])[3] if same else _block(sections.get("Example", ""))
    return first, tuple(others), sections, example


def _items(text: str) -> tuple[str, ...]:
    """Read a list; an item's further lines are indented."""
    return tuple(" ".join(item.split()) for item in re.split(r"^- ", text, flags=re.MULTILINE)[1:])


def _block(text: str) -> str:
    """Read what stands in a fenced block."""
    return text.partition("```console\n")[2].partition("\n```")[0]
