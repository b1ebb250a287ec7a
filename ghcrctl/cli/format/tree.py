"""Trees of text: what hangs on what.

What belongs here: the lines that lead to a branch. What does not: what stands at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ghcrctl.cli.format.style import UNICODE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ghcrctl.cli.format.style import Glyphs

Item = TypeVar("Item")


def branches(
    items: Sequence[Item],
    below: Callable[[Item], Sequence[Item]],
    glyphs: Glyphs = UNICODE,
    indent: str = "",
) -> Iterator[tuple[str, Item]]:
    """Yield all items of a tree from the top down, each with the lines that lead to it.

    Args:
        items: what hangs on the root.
        below: tells what hangs on an item.
        glyphs: to draw with.
        indent: what each line begins with.
    """
    for number, item in enumerate(items, 1):
        is_last = number == len(items)
        yield indent + (glyphs.end if is_last else glyphs.fork), item
        deeper = indent + (glyphs.gap if is_last else glyphs.trunk)
        yield from branches(below(item), below, glyphs, deeper)
