"""The progress display on a terminal."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from rich.console import Group
from rich.text import Text

from ghcrctl.cli.progress.screen import Screen
from tests.unit.cli.progress.terminal import Terminal

if TYPE_CHECKING:
    from rich.console import RenderableType


class Sized(Screen):
    """A screen with the size of the terminal in memory."""

    def __init__(self, terminal: Terminal, environ: dict[str, str] | None = None) -> None:
        cuts = {} if terminal.wraps else {"XTERM_VERSION": "XTerm(379)"}
        super().__init__(terminal, {"NO_COLOR": "1", **cuts, **(environ or {})})
        self._terminal = terminal

    @property
    def size(self) -> tuple[int, int]:
        return self._terminal.size


def block(*texts: str) -> RenderableType:
    return Group(*(Text(text, "good") for text in texts))


def write(terminal: Terminal, text: str) -> None:
    terminal.write(text)


def write_line(terminal: Terminal, text: str) -> None:
    write(terminal, f"{text}\n")


def test_frames_replace_each_other_and_leave_nothing() -> None:
    terminal = Terminal(20, 6)
    screen = Sized(terminal)
    write_line(terminal, "$ pull")
    screen.draw(block("one", "two", "total"))
    assert terminal.lines == ["$ pull", "one", "two", "total"]
    assert not terminal.shows_cursor()
    screen.draw(block("onward", "total"))
    assert terminal.lines == ["$ pull", "onward", "total"]
    screen.close()
    assert terminal.lines == ["$ pull"]
    assert terminal.shows_cursor()
    assert (terminal.screen.cursor.x, terminal.screen.cursor.y) == (0, 1)


def test_only_changed_lines_are_written() -> None:
    terminal = Terminal()
    screen = Sized(terminal)
    screen.draw(block("a" * 30, "b" * 30, "total"))
    screen.draw(block("a" * 30, "c" * 30, "total"))
    assert "aa" not in terminal.writes[-1]
    assert "c" * 30 in terminal.writes[-1]
    before = len(terminal.writes)
    screen.draw(block("a" * 30, "c" * 30, "total"))
    assert len(terminal.writes) == before


def test_each_frame_is_one_synchronized_write() -> None:
    terminal = Terminal()
    screen = Sized(terminal)
    screen.draw(block("one", "total"))
    [frame] = terminal.writes
    assert frame.startswith("\x1b[?2026h")
    assert frame.endswith("\x1b[?2026l")


def test_lines_are_written_above_the_display_while_the_screen_scrolls() -> None:
    terminal = Terminal(20, 5)
    screen = Sized(terminal)
    for number in range(9):
        screen.draw(block(f"bar {number}", "total"))
        screen.above(terminal, f"line {number}\n", partial(block, f"bar {number}", "total"))
    assert terminal.lines == ["line 6", "line 7", "line 8", "bar 8", "total"]
    screen.close()
    assert terminal.lines == ["line 6", "line 7", "line 8"]


def test_text_without_a_line_feed_is_not_overwritten() -> None:
    terminal = Terminal()
    screen = Sized(terminal)
    screen.draw(block("total"))
    screen.above(terminal, "50%", lambda: block("total"))
    assert terminal.lines == ["50%", "total"]


@pytest.mark.parametrize("wraps", [True, False])
@pytest.mark.parametrize("columns", [45, 23, 120])
def test_a_resize_leaves_no_remains_and_erases_nothing_else(columns: int, *, wraps: bool) -> None:
    terminal = Terminal(60, 24, wraps=wraps)
    screen = Sized(terminal)
    write_line(terminal, "$ pull")
    write_line(terminal, "1.0: Pulling")
    screen.draw(block("a" * 59, "b" * 30, "t" * 59))
    terminal.resize(columns, 24)
    screen.draw(block("a" * 20, "b" * 20, "t" * 20))
    assert terminal.lines == ["$ pull", "1.0: Pulling", "a" * 20, "b" * 20, "t" * 20]
    terminal.resize(80, 24)
    screen.close()
    assert terminal.lines == ["$ pull", "1.0: Pulling"]


def test_the_display_is_at_the_bottom_of_a_terminal_that_became_lower() -> None:
    terminal = Terminal(40, 24)
    screen = Sized(terminal)
    for number in range(20):
        write_line(terminal, f"line {number}")
    screen.draw(block("one", "two", "three", "total"))
    terminal.resize(40, 8)
    screen.draw(block("one", "total"))
    assert terminal.lines[-1] == "total"
    assert terminal.lines.count("total") == 1
    assert "three" not in terminal.lines


def test_text_above_the_display_and_the_new_frame_are_one_write() -> None:
    terminal = Terminal(40, 10)
    screen = Sized(terminal)
    screen.draw(block("a long line of the block", "total"))
    screen.above(terminal, "done\nand done\n", lambda: block("total"))
    assert terminal.lines == ["done", "and done", "total"]
    assert len(terminal.writes) == 2
    screen.above(terminal, "end\n", lambda: None)
    assert terminal.lines == ["done", "and done", "end"]


def test_text_for_another_terminal_is_written_there() -> None:
    terminal, other = Terminal(), Terminal()
    screen = Sized(terminal)
    screen.draw(block("total"))
    screen.above(other, "result\n", lambda: block("total"))
    assert (terminal.lines, other.lines) == (["total"], ["result"])


def test_no_color_turns_colours_off() -> None:
    coloured, plain = Terminal(), Terminal()
    Screen(coloured, {}).draw(block("x"))
    Screen(plain, {"NO_COLOR": "1"}).draw(block("x"))
    assert "\x1b[32mx\x1b[0m" in coloured.writes[0]
    assert "m" not in plain.writes[0]


def test_a_terminal_without_a_size_has_the_default_size() -> None:
    assert Screen(Terminal(), {}).size == (80, 24)
    assert Screen(Terminal(), {"COLUMNS": "132"}).size == (132, 24)


def test_a_lost_terminal_is_not_an_error() -> None:
    class Gone(Terminal):
        def write(self, text: str, /) -> int:
            raise OSError(5, text)

    screen = Screen(Gone(), {})
    screen.draw(block("x"))
    screen.draw(block("y"))
    screen.close()


def test_a_closed_pipe_does_not_end_the_program() -> None:
    class ClosedPipe(Terminal):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError(32, text)

    screen = Screen(ClosedPipe(), {})
    screen.draw(block("x"))
    screen.close()


@pytest.mark.parametrize(("is_console", "is_one_write"), [(True, True), (False, False)])
def test_windows_has_one_console_for_both_streams(
    monkeypatch: pytest.MonkeyPatch, *, is_console: bool, is_one_write: bool
) -> None:
    class Console(Terminal):
        def fileno(self) -> int:
            return 2

        def isatty(self) -> bool:
            return True

    class Output(Terminal):
        def fileno(self) -> int:
            return 1

        def isatty(self) -> bool:
            return is_console

    console, output = Console(), Output()
    screen = Screen(console, {"NO_COLOR": "1"})
    screen.draw(block("bar"))
    with monkeypatch.context() as patch:
        # On Windows, a file's status does not name the terminal's device.
        patch.setattr("os.fstat", lambda _: object())
        screen.above(output, "text\n", lambda: block("bar"))
    assert ("text" in "".join(console.writes)) == is_one_write
    assert (output.writes == ["text\n"]) != is_one_write
