"""``docs/reliability.md``, written from the matrix: ``python -m tests.faults.page``."""

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
    """Write the tables, one for each moment."""
    moments = list(dict.fromkeys(case.moment for case in CASES))
    parts = []
    for side, verbs in (("reading", ("pull", "copy")), ("writing", ("push", "copy"))):
        parts.append(f"### While {side}: {verbs[0]}, and {verbs[1]} {_WHERE[side]}\n\n")
        parts.append(
            "| what is asked for or sent | what goes wrong | what comes of it |\n|---|---|---|\n"
        )
        for moment in moments:
            if moment.side == side:
                parts += _rows([case for case in CASES if case.moment == moment])
        parts.append("\n")
    parts.append("### Hosts that cannot be talked to: pull, push and copy\n\n")
    parts.append("| what goes wrong | what comes of it |\n|---|---|\n")
    parts += [f"| {what} | {_error(error)} |\n" for what, _, _, error in DEAD]
    return "".join(parts)


_WHERE = {"reading": "from the registry in trouble", "writing": "to the registry in trouble"}


def _rows(cases: list[Case]) -> list[str]:
    """Write a moment's rows; what has the same outcome shares one."""
    grouped: dict[str, list[str]] = {}
    for case in cases:
        outcome = _error(case.outcome) if case.outcome else "succeeds"
        if case.arrives:
            outcome += "; the target has the image all the same"
        grouped.setdefault(outcome, []).append(case.what)
    name = f"{cases[0].moment.name}{' (in pieces)' if cases[0].moment.chunks else ''}"
    return [
        f"| {name} | {'; '.join(things)} | {outcome} |\n" for outcome, things in grouped.items()
    ]


def _error(error: type[GhcrctlError]) -> str:
    return f"error `{error.code}`, exit {error.exit_status.value}"


def main() -> int:
    """Write the page, or with ``--check`` tell whether it is in step."""
    if "--check" in sys.argv[1:]:
        in_step = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()
        if not in_step:
            pass
        return 0 if in_step else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
