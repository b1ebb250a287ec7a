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
                    f"{result.peak / _MEGABYTE:.0f}",
                    row.target if first else "",
                )
            )
    return made


def show(results: Sequence[tuple[Row, Sequence[Result]]]) -> None:
    """Print the table."""
    table = Table(title="Whole commands: wall time in seconds, median (least to most)")
    for header in ("job", "who", "seconds", "ours : theirs", "peak MB", "wanted"):
        table.add_column(
            header, justify="right" if header in {"ours : theirs", "peak MB"} else "left"
        )
    for line in lines(results):
        table.add_row(*line)
    console = Console()
    Console(width=None if console.is_terminal else 150).print(table)
