"""Images that move at once print in their order."""

from __future__ import annotations

from ghcrctl.cli.ordered_output import Turns


def test_lines_come_as_if_one_image_came_after_the_other() -> None:
    printed: list[str] = []
    turns = Turns(printed.append)
    first, second, third = (turns.of(number) for number in range(3))
    second("b1")
    first("a1")
    third("c1")
    assert printed == ["a1"]
    first("a2")
    turns.end()
    assert printed == ["a1", "a2", "b1"]
    second("b2")
    turns.end()
    turns.end()
    assert printed == ["a1", "a2", "b1", "b2", "c1"]
