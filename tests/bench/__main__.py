"""``python -m tests.bench``: measures speed and memory beside other clients, in one run."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.bench.bench import Bench, MissingRivalError
from tests.bench.measure import take_turns
from tests.bench.rows import ROWS
from tests.bench.table import markdown, show

_QUICK_RUNS = 15


def main() -> int:
    """Run the rows that were asked for and print their table."""
    arguments = _parser().parse_args()
    if arguments.list:
        for row in ROWS:
            print(f"{row.name:<12} {row.about}; wanted: {row.target.text}")  # noqa: T201
        return 0
    wanted = [row for row in ROWS if row.name in (arguments.only or [r.name for r in ROWS])]
    results = []
    with tempfile.TemporaryDirectory(prefix="ghcrctl-bench-") as folder:
        bench = Bench(Path(folder), arguments.size)
        try:
            for row in wanted:
                print(f"{row.name}: {row.about}", file=sys.stderr)  # noqa: T201
                runs = max(arguments.runs, _QUICK_RUNS if row.quick else 0)
                try:
                    results.append((row, take_turns(row.contestants(bench), runs)))
                except MissingRivalError as error:
                    print(f"left out: {row.name}: {error}", file=sys.stderr)  # noqa: T201
        except KeyboardInterrupt:
            return 130
        finally:
            bench.close()
    show(results)
    if arguments.write:
        arguments.write.write_text(markdown(results, arguments.size))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each contestant")
    parser.add_argument("--size", type=int, default=600, help="megabytes of the large image")
    parser.add_argument(
        "--only", action="append", choices=[row.name for row in ROWS], help="this row; repeatable"
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table there too")
    parser.add_argument("--list", action="store_true", help="name the rows")
    return parser


if __name__ == "__main__":
    sys.exit(main())
