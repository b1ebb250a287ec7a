"""The commands of the tutorial, the how-tos and the README work, and print what the pages say."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import name_of
from tests.docs.blocks import blocks_of, pages
from tests.docs.output import matches, shortened
from tests.docs.shell import run
from tests.docs.world import TOKEN, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.docs.blocks import Block
    from tests.docs.network import Network

WITH_COMMANDS = [path for path in pages() if blocks_of(path.read_text(encoding="utf-8"))]
# So that blocks which are left out stay few.
MOST_NOT_RUN = 12


@pytest.fixture
def network() -> Iterator[Network]:
    """The hosts that pages talk to."""
    with world() as made:
        yield made


@pytest.mark.skipif(shutil.which("bash") is None, reason="pages are written for bash")
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_the_commands_of_a_page_work(page: Path, network: Network, tmp_path: Path) -> None:
    blocks = [block for block in blocks_of(page.read_text(encoding="utf-8")) if not block.reason]
    ran = run(blocks, tmp_path, {**network.environ(tmp_path), "CR_PAT": TOKEN})
    last = blocks[len(ran.outputs) - 1]
    assert ran.status == 0, f"line {last.line}:\n{last.text}printed\n{ran.outputs[-1]}"
    assert not network.unknown
    assert not differences(blocks, ran.outputs)


def differences(blocks: list[Block], outputs: object) -> str:
    """Return what was printed where a page says otherwise."""
    assert isinstance(outputs, list)
    return "\n".join(
        f"line {block.line}: this was printed:\n{shortened(output)}"
        for block, output in zip(blocks, outputs, strict=True)
        if block.output is not None and not matches(block.output, output)
    )


def test_few_commands_are_left_out() -> None:
    blocks = [block for page in pages() for block in blocks_of(page.read_text(encoding="utf-8"))]
    assert len([block for block in blocks if block.reason]) <= MOST_NOT_RUN
