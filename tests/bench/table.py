"""The table that is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.bench.measure import Result
    from tests.bench.rows import Row

_MEGABYTE = 1_000_000
_TITLE = "Whole commands: wall time in seconds, median (least to most)"
_HEADERS = ("job", "who", "seconds", "ours : theirs", "peak MB", "requests", "wanted", "kept")


def lines(results: Iterable[tuple[Row, Sequence[Result]]]) -> list[tuple[str, ...]]:
    """Make one line for each contestant: the first of a row is ours, the others are set against it.

    Ratios are of medians, ours to theirs: below 1 we are quicker.
    """
    made: list[tuple[str, ...]] = []
    for row, found in results:
        ours = found[0]
        for result in found:
            first = result is ours
            low, high = result.spread
            made.append(
                (
                    row.name if first else "",
                    result.name,
                    f"{result.seconds:.3f} ({low:.3f} to {high:.3f})",
                    "" if first else f"{ours.seconds / result.seconds:.2f}",
                    f"{result.peak / _MEGABYTE:.0f}" if result.peak else "",
                    "" if result.requests is None else str(result.requests),
                    row.target.text if first else "",
                    ("yes" if row.target.is_met(found) else "no") if first else "",
                )
            )
    return made


def plain(made: Sequence[Sequence[str]]) -> list[str]:
    """Return lines of text with the columns one below the other, headers first."""
    cells = [_HEADERS, *made]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def show(results: Sequence[tuple[Row, Sequence[Result]]]) -> None:
    """Print the table: drawn on a terminal, plain lines elsewhere."""
    console = Console()
    made = lines(results)
    if console.is_terminal:
        console.print(_drawn(made))
        return
    for line in (_TITLE, *plain(made)):
        print(line)  # noqa: T201


def _drawn(made: Sequence[Sequence[str]]) -> Table:
    table = Table(title=_TITLE)
    for header in _HEADERS:
        table.add_column(
            header, justify="right" if header in {"ours : theirs", "peak MB"} else "left"
        )
    for line in made:
        table.add_row(*line)
    return table


def markdown(results: Sequence[tuple[Row, Sequence[Result]]], megabytes: int) -> str:
    """Write the table as a page of the documentation."""
    rows = "".join(f"| {' | '.join(line)} |\n" for line in lines(results))
    abouts = "".join(f"- **{row.name}**: {row.about}\n" for row, _ in results)
    missed = "".join(
        f"- **{row.name}**: {row.target.why_missed}\n"
        for row, found in results
        if not row.target.is_met(found)
    )
    return (
        "# Benchmarks\n\n<!-- Written by `make bench`. -->\n\n"
        "Whole commands as processes, beside other clients in the same run: they take turns, "
        "so that "
        "whatever else the\nmachine does befalls all alike. Read the ratios (below 1 ghcrctl is "
        "quicker); seconds are of one small shared machine\nwith two processors. "
        f"The large image has {megabytes} MB in three layers.\n\n"
        "| job | who | seconds: median (least to most) | ours : theirs | peak MB | requests "
        "| wanted | kept |\n"
        f"|---|---|---|---|---|---|---|---|\n{rows}\n{abouts}"
        + (f"\n## Targets that are missed\n\n{missed}" if missed else "")
    )
