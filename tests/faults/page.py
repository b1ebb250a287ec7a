"""Generate ``docs/reliability.md`` from the matrix: ``python -m tests.faults.page``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.matrix import CASES, DEAD

if TYPE_CHECKING:
    from ghcrctl.errors import GhcrctlError
    from tests.faults.matrix import Case

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
_FRAME = Path(__file__).with_name("reliability.md")
_MARK = "<!-- the matrix -->\n"


def page() -> str:
    """Return the whole page."""
    return _FRAME.read_text(encoding="utf-8").replace(_MARK, matrix())


def matrix() -> str:
    """Return the tables: reading, writing, and unreachable hosts."""
    moments = list(dict.fromkeys(case.moment for case in CASES))
    parts = []
    for side, verbs in (("reading", ("pull", "copy")), ("writing", ("push", "copy"))):
        parts.append(f"### Faults while {side}: {verbs[0]}, and {verbs[1]} {_WHERE[side]}\n\n")
        parts.append("| request | fault | result |\n|---|---|---|\n")
        for moment in moments:
            if moment.side == side:
                parts += _rows([case for case in CASES if case.moment == moment])
        parts.append("\n")
    parts.append("### Unreachable hosts: pull, push and copy\n\n")
    parts.append("| fault | result |\n|---|---|\n")
    parts += [f"| {what} | {_error(error)} |\n" for what, _, _, error in DEAD]
    return "".join(parts)


_WHERE = {"reading": "from the failing registry", "writing": "to the failing registry"}


def _rows(cases: list[Case]) -> list[str]:
    """Return the rows of one request; faults with the same result share a row."""
    grouped: dict[str, list[str]] = {}
    for case in cases:
        outcome = _error(case.outcome) if case.outcome else "succeeds"
        if case.arrives:
            outcome += "; the target has the image nevertheless"
        grouped.setdefault(outcome, []).append(case.what)
    name = f"{cases[0].moment.name}{' (in chunks)' if cases[0].moment.chunks else ''}"
    return [
        f"| {name} | {'; '.join(_joined(things))} | {outcome} |\n"
        for outcome, things in grouped.items()
    ]


def _joined(faults: list[str]) -> list[str]:
    """Join the HTTP statuses that occur equally often: `408, 429 once`."""
    statuses: dict[str, list[str]] = {}
    others = []
    for fault in faults:
        status, _, rest = fault.partition(" ")
        if status.isdecimal() and rest in {"once", "always", "for a range"}:
            statuses.setdefault(rest, []).append(status)
        else:
            others.append(fault)
    return [f"{', '.join(found)} {rest}" for rest, found in statuses.items()] + others


def _error(error: type[GhcrctlError]) -> str:
    return f"error `{error.code}`, exit {error.exit_status.value}"


def main() -> int:
    """Write the page, or with ``--check`` compare it with the matrix."""
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page() else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
