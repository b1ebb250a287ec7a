"""The commands in README, tutorial, how-to and concept pages work and print what the pages show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import name_of
from tests.docs.blocks import blocks_of, pages
from tests.docs.output import matches, shortened
from tests.docs.shell import run
from tests.docs.world import environ, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.docs.blocks import Block
    from tests.internet import Internet

WITH_COMMANDS = [
    path
    for path in pages()
    if any(not block.reason for block in blocks_of(path.read_text(encoding="utf-8")))
]
# Skipped blocks are untested documentation, so their number is limited.
MOST_NOT_RUN = 14


@pytest.fixture
def internet() -> Iterator[Internet]:
    """Start the hosts that pages talk to."""
    with world() as made:
        yield made


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_the_commands_of_a_page_work(page: Path, internet: Internet, tmp_path: Path) -> None:
    blocks = [block for block in blocks_of(page.read_text(encoding="utf-8")) if not block.reason]
    ran = run(blocks, tmp_path, environ(internet, tmp_path))
    last = blocks[len(ran.outputs) - 1]
    assert ran.status == 0, f"line {last.line}:\n{last.text}printed\n{ran.outputs[-1]}"
    assert not internet.unknown
    assert not differences(blocks, ran.outputs)


def differences(blocks: list[Block], outputs: object) -> str:
    """Return the printed outputs that differ from those in a page."""
    assert isinstance(outputs, list)
    return "\n".join(
        f"line {block.line}: this was printed:\n{shortened(output)}"
        for block, output in zip(blocks, outputs, strict=True)
        if block.output is not None and not matches(block.output, output)
    )


def test_few_blocks_are_skipped() -> None:
    texts = [(page, page.read_text(encoding="utf-8")) for page in pages()]
    reasons = {(page, block.reason) for page, text in texts for block in blocks_of(text)}
    assert len([reason for _, reason in reasons if reason]) <= MOST_NOT_RUN
