"""Trees of text: what hangs on what.

What belongs here: the lines that lead to a branch. What does not: what stands at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Item = TypeVar("Item")


def branches(
    items: Sequence[Item], below: Callable[[Item], Sequence[Item]], indent: str = ""
) -> Iterator[tuple[str, Item]]:
    """Yield all items of a tree from the top down, each with the lines that lead to it.

    Args:
        items: what hangs on the root.
        below: tells what hangs on an item.
        indent: what each line begins with.
    """
    for number, item in enumerate(items, 1):
        is_last = number == len(items)
        yield indent + ("└── " if is_last else "├── "), item
        yield from branches(below(item), below, indent + ("    " if is_last else "│   "))
