"""Update the sample output in pages: ``python -m tests.docs PAGE...``.

Only existing output blocks are updated, unless they leave out text with ``...`` and still match.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.docs.blocks import blocks_of
from tests.docs.output import matches, shortened
from tests.docs.shell import run
from tests.docs.world import environ, world

if TYPE_CHECKING:
    from tests.docs.blocks import Block


def main() -> None:
    """Update each page named on the command line."""
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
        if block.output is not None and not (matches(block.output, output) and _abridged(block)):
            start, end = block.output_lines
            lines[start:end] = shortened(output).splitlines()
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if ran.status:
        last = blocks[len(ran.outputs) - 1]
        sys.exit(f"{page}:{last.line} left with status {ran.status}:\n{ran.outputs[-1]}")


def _abridged(block: Block) -> bool:
    """Return whether a page leaves out a part of the output, other than of digests."""
    return "..." in re.sub(r"[0-9a-f]{12}\.\.\.", "", block.output or "")


if __name__ == "__main__":
    main()
