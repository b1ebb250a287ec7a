"""How many cells of a terminal a text takes, and cutting it to fewer.

What belongs here: measuring and cutting. What does not: which text is cut (``layout``).
"""

from __future__ import annotations


def display_width(text: str) -> int:
    """Count the terminal cells of a text: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(map(_width, text))


def _width(character: str) -> int:
    import unicodedata

    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def fitted(text: str, width: int, ellipsis: str, *, in_the_middle: bool = False) -> str:
    """Return a text cut to so many cells, with a sign where something is missing.

    Args:
        text: any.
        width: cells.
        ellipsis: the sign.
        in_the_middle: keep the end too, and more of it: that of a name tells most.
    """
    if display_width(text) <= width:
        return text
    room = width - display_width(ellipsis)
    if room < 1:
        return ellipsis[: max(0, width)]
    if not in_the_middle:
        return _start(text, room) + ellipsis
    head = room // 3
    return _start(text, head) + ellipsis + _start(text[::-1], room - head)[::-1]


def _start(text: str, width: int) -> str:
    used = 0
    for number, character in enumerate(text):
        used += _width(character)
        if used > width:
            return text[:number]
    return text
