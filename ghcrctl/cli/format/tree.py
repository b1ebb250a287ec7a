"""Draw the branches of trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ghcrctl.cli.format.style import UNICODE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ghcrctl.cli.format.style import Glyphs

Item = TypeVar("Item")


def branches(
    items: Sequence[Item],
    children: Callable[[Item], Sequence[Item]],
    glyphs: Glyphs = UNICODE,
    indent: str = "",
) -> Iterator[tuple[str, Item]]:
    """Yield all items of a tree from the top down, each with the branch before it.

    Args:
        items: the children of the root.
        children: returns the children of an item.
        glyphs: the characters to draw with.
        indent: the start of each line.
    """
    for number, item in enumerate(items, 1):
        is_last = number == len(items)
        yield indent + (glyphs.end if is_last else glyphs.fork), item
        deeper = indent + (glyphs.gap if is_last else glyphs.trunk)
        yield from branches(children(item), children, glyphs, deeper)
