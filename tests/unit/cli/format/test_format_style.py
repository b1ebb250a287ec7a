from __future__ import annotations

import ctypes
import io
import os
import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ghcrctl.cli.format.cells import display_width, fitted
from ghcrctl.cli.format.style import (
    ASCII,
    PLAIN,
    UNICODE,
    Marked,
    Meaning,
    Style,
    glyphs_for,
    knows_links,
    style_of,
    wants_colour,
)
from ghcrctl.cli.format.units import Measure, exact
from ghcrctl.cli.format.windows_console import enable_sequences

LINKING = Style(width=80, in_colour=True, has_links=True)


@pytest.mark.parametrize(
    ("environ", "on_terminal", "elsewhere"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"CLICOLOR_FORCE": "1"}, True, True),
        ({"CLICOLOR_FORCE": "0"}, False, False),
        ({"CLICOLOR": "0"}, False, False),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_variables_turn_colours_on_and_off(
    environ: dict[str, str], *, on_terminal: bool, elsewhere: bool
) -> None:
    assert wants_colour(environ, is_terminal=True) == on_terminal
    assert wants_colour(environ, is_terminal=False) == elsewhere


@pytest.mark.parametrize(
    ("environ", "known"),
    [
        ({}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"VTE_VERSION": "7200"}, True),
        ({"VTE_VERSION": "4800"}, False),
        ({"VTE_VERSION": "new"}, False),
        ({"KONSOLE_VERSION": "220401"}, True),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "WezTerm"}, True),
        ({"TERM_PROGRAM": "vscode"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"WT_SESSION": "a"}, True),
        ({"WT_SESSION": "a", "CI": "true"}, False),
        ({"VTE_VERSION": "7200", "TMUX": "/tmp/s"}, False),
        ({"VTE_VERSION": "7200", "TERM": "screen-256color"}, False),
        ({"FORCE_HYPERLINK": "1", "TMUX": "/tmp/s"}, True),
        ({"VTE_VERSION": "7200", "FORCE_HYPERLINK": "0"}, False),
    ],
)
def test_links_are_written_to_terminals_that_support_them(
    environ: dict[str, str], *, known: bool
) -> None:
    assert knows_links(environ) == known


def test_a_style_is_plain_in_a_pipe() -> None:
    found = style_of(io.TextIOWrapper(io.BytesIO(), "utf-8"), {"VTE_VERSION": "7200"}, None)
    assert found.is_plain
    assert found == PLAIN
    assert found.paint("text", Meaning.BAD, "https://example.com") == "text"


def test_a_link_cannot_end_early() -> None:
    shown = LINKING.paint("here", None, "https://example.com/\x1b\\\x07;é ")
    assert shown == ("\x1b]8;;https://example.com/%1B\\%07;%C3%A9%20\x1b\\here\x1b]8;;\x1b\\")
    assert LINKING.paint("here", None, "javascript:alert(1)") == "here"
    assert LINKING.paint("", Meaning.GOOD, "https://example.com") == ""


def test_every_meaning_has_a_rendition() -> None:
    for meaning in Meaning:
        assert re.fullmatch(r"\x1b\[[\d;]+mx\x1b\[0m", LINKING.paint("x", meaning))


@pytest.mark.parametrize(
    ("encoding", "forks", "ellipsis"),
    [
        ("utf-8", UNICODE.fork, "…"),
        ("cp437", UNICODE.fork, "..."),
        ("cp1252", ASCII.fork, "…"),
        ("ascii", ASCII.fork, "..."),
        ("no-such-encoding", ASCII.fork, "..."),
    ],
)
def test_only_characters_of_the_encoding_are_drawn(
    encoding: str, forks: str, ellipsis: str
) -> None:
    glyphs = glyphs_for(encoding)
    assert (glyphs.fork, glyphs.ellipsis) == (forks, ellipsis)


def test_a_marked_value_is_its_text() -> None:
    marked = Marked("outdated", Meaning.WARN, "https://example.com")
    assert marked == "outdated"
    assert f"{marked}" == "outdated"
    assert (marked.meaning, marked.link) == (Meaning.WARN, "https://example.com")


@pytest.mark.parametrize(
    ("text", "width", "end", "middle"),
    [
        ("short", 5, "short", "short"),
        ("ghcr.io/octo/app", 10, "ghcr.io/o…", "ghc…to/app"),
        ("字字字字", 5, "字字…", "…字"),
        ("long", 1, "…", "…"),
        ("long", 0, "", ""),
    ],
)
def test_cut_text_has_an_ellipsis(text: str, width: int, end: str, middle: str) -> None:
    assert fitted(text, width, "…") == end
    assert fitted(text, width, "…", in_the_middle=True) == middle
    assert display_width(end) <= width


def test_exact_times_are_in_utc_to_the_second() -> None:
    moment = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))
    assert exact(moment) == "2026-01-31T10:00:00Z"
    assert exact(None) == "N/A"
    measure = Measure(moment, is_human=False)
    assert measure.size(13_312) == "13312"
    assert measure.since(moment) == measure.at(moment) == "2026-01-31T10:00:00Z"
    assert measure.columns(("Tag", "CreatedSince")) == ("Tag", "CreatedAt")


class Kernel:
    """A double of kernel32: a console with a mode, or none."""

    def __init__(self, mode: int | None, *, obeys: bool = True) -> None:
        self.mode = mode
        self.obeys = obeys

    def GetStdHandle(self, number: int) -> int:  # noqa: N802 Windows' name
        assert number == -11
        return 7

    def GetConsoleMode(self, handle: int, mode: Any) -> int:  # noqa: N802 Windows' name
        assert handle == 7
        if self.mode is None:
            return 0
        ctypes.cast(mode, ctypes.POINTER(ctypes.c_ulong))[0] = self.mode
        return 1

    def SetConsoleMode(self, handle: int, mode: int) -> int:  # noqa: N802 Windows' name
        assert handle == 7
        if self.obeys:
            self.mode = mode
        return int(self.obeys)


@pytest.mark.needs("playing others")
@pytest.mark.parametrize(
    ("kernel", "obeys", "mode"),
    [
        (Kernel(3), True, 7),
        (Kernel(7), True, 7),
        (Kernel(3, obeys=False), False, 3),
        (Kernel(None), True, None),
    ],
    ids=["asked", "already", "old", "none"],
)
def test_escape_sequences_are_enabled_on_windows(
    kernel: Kernel, *, obeys: bool, mode: int | None
) -> None:
    leader, follower = os.openpty()
    with os.fdopen(follower, "w") as stream:
        assert enable_sequences(stream, kernel) == obeys
    os.close(leader)
    assert kernel.mode == mode
