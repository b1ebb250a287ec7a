"""Writes into pages what their commands print: ``python -m tests.docs PAGE...``.

Only blocks of output that a page has already are written, so that a page shows what it wants to.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.docs.blocks import blocks_of
from tests.docs.output import matches, shortened
from tests.docs.shell import run
from tests.docs.world import environ, world


def main() -> None:
    """Write each page that the command line names."""
    for name in sys.argv[1:]:
        _write(Path(name))


def _write(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    blocks = [block for block in blocks_of(text) if not block.reason]
    with world() as internet, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ran = run(blocks, folder, environ(internet, folder))
    lines = text.splitlines()
    for block, output in reversed(list(zip(blocks, ran.outputs, strict=False))):
        if block.output is not None and not matches(block.output, output):
            start, end = block.output_lines
            lines[start:end] = shortened(output).splitlines()
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if ran.status:
        last = blocks[len(ran.outputs) - 1]
        sys.exit(f"{page}:{last.line} left with status {ran.status}:\n{ran.outputs[-1]}")


if __name__ == "__main__":
    main()
