"""Output of images that are processed in parallel."""

from __future__ import annotations

from ghcrctl.cli.ordered_output import OrderedOutput


def test_lines_are_printed_image_by_image() -> None:
    printed: list[str] = []
    output = OrderedOutput(printed.append)
    first, second, third = (output.printer(number) for number in range(3))
    second("b1")
    first("a1")
    third("c1")
    assert printed == ["a1"]
    first("a2")
    output.next_image()
    assert printed == ["a1", "a2", "b1"]
    second("b2")
    output.next_image()
    output.next_image()
    assert printed == ["a1", "a2", "b1", "b2", "c1"]
