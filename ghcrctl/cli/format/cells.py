"""Measure and cut text in terminal cells.

rich measures text that is not ASCII: it knows wide and combining characters and emoji sequences. It
is imported only for such text, because most commands print none.
"""

from __future__ import annotations

from itertools import pairwise

_JOINER, _SELECTOR = "\N{ZERO WIDTH JOINER}", "\N{VARIATION SELECTOR-16}"
_INVISIBLE = "\N{ZERO WIDTH SPACE}"


def display_width(text: str) -> int:
    """Return the width of text in terminal cells."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(_with_emoji_joiners(text))


def fitted(text: str, width: int, ellipsis: str, *, in_the_middle: bool = False) -> str:
    """Return text cut to a width, with an ellipsis in place of the missing part.

    Args:
        text: the text.
        width: the width (cells).
        ellipsis: the ellipsis.
        in_the_middle: cut the middle and keep more of the end, which matters most in names.
    """
    if display_width(text) <= width:
        return text
    room = width - _ellipsis_width(ellipsis)
    if room < 1:
        return ellipsis[: max(0, width)]
    if not in_the_middle:
        return _start(text, room) + ellipsis
    head = room // 3
    return _start(text, head) + ellipsis + _end(text, room - head)


def _ellipsis_width(ellipsis: str) -> int:
    # Fast path that does not import rich.
    return 1 if ellipsis == "…" else display_width(ellipsis)


def _start(text: str, width: int) -> str:
    """Return the longest start of text that fits."""
    if text.isascii():
        return text[:width]
    used = 0
    for start, _end_of, cells in _graphemes(text):
        used += cells
        if used > width:
            return text[:start]
    return text


def _end(text: str, width: int) -> str:
    """Return the longest end of text that fits."""
    if text.isascii():
        return text[len(text) - width :]
    used = 0
    for _start_of, end, cells in reversed(_graphemes(text)):
        used += cells
        if used > width:
            return text[end:]
    return text


def _graphemes(text: str) -> list[tuple[int, int, int]]:
    """Return start, end and width of each character as a user sees it."""
    from rich.cells import split_graphemes

    spans, _ = split_graphemes(_with_emoji_joiners(text))
    return spans


def _with_emoji_joiners(text: str) -> str:
    """Return text in which rich sees zero-width joiners only between emoji.

    rich counts no cell for any character after a joiner, but terminals do so for emoji only.
    """
    if _JOINER not in text:
        return text
    from rich.cells import get_character_cell_size as width_of

    parts = text.split(_JOINER)
    joined = parts[0]
    for before, after in pairwise(parts):
        are_emoji = any(width_of(char) == 2 for char in before.rstrip(_SELECTOR)[-1:] + after[:1])
        joined += (_JOINER if are_emoji else _INVISIBLE) + after
    return joined
