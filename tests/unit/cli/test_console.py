"""Pages, boxes and tracebacks on a terminal."""

from __future__ import annotations

import re

import pytest

from ghcrctl.cli import console
from ghcrctl.cli.errors_out import Failure
from ghcrctl.cli.format.style import ASCII, PLAIN, Style
from ghcrctl.errors import ExitStatus

_TERMINAL = Style(width=40)
_COLOURED = Style(width=40, in_colour=True, has_256_colours=True)


def test_markdown_fits_the_terminal() -> None:
    page = console.markdown(f"**Causes:**\n\n- {'word ' * 30}\n\n```text\n$ run\n```\n", _TERMINAL)
    assert page.startswith("Causes:\n\n • word word")
    assert page.endswith("\n\n $ run\n")
    assert max(map(len, page.splitlines())) <= 40
    assert "\x1b" not in page


def test_markdown_has_no_background_colours() -> None:
    page = console.markdown("# Title\n\nRun `ghcrctl pull`.\n\n```sh\nls # x\n```\n", _COLOURED)
    codes = [
        int(code) for codes in re.findall(r"\x1b\[([\d;]*)m", page) for code in codes.split(";")
    ]
    assert 1 in codes
    assert not {*range(40, 49), *range(100, 108)} & set(codes)


def test_a_panel_has_the_lines_in_a_box() -> None:
    shown = console.panel("error", ["[b]cannot[/b]", "", "hint: x"], _TERMINAL)
    assert [line.strip("│ ") for line in shown.splitlines()[1:-1]] == [
        "[b]cannot[/b]",
        "",
        "hint: x",
    ]
    ascii_only = Style(width=40, glyphs=ASCII, encoding="ascii")
    assert console.panel("error", ["cannot"], ascii_only).isascii()


def failing(url: str) -> ValueError:
    error = ValueError(f"bad \x1b[2J response of {url}")
    error.__cause__ = KeyError(url)
    error.__notes__ = [f"see {url}"]
    return error


def test_a_traceback_has_no_secrets_and_no_control_characters() -> None:
    secret = "s3cr3t" * 8
    error = failing(f"https://octo:{secret}@ghcr.io/v2/?signature={secret}")
    shown = console.traceback(error, Style(width=60))
    assert "ValueError" in shown
    assert "KeyError" in shown
    assert "ghcr.io" in shown
    assert "s3cr3t" not in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("style", [PLAIN, Style(width=80, glyphs=ASCII, encoding="ascii")])
def test_a_bug_is_reported_in_lines_without_a_full_terminal(style: Style) -> None:
    failure = Failure("bug", "unexpected KeyError", "report it", int(ExitStatus.BUG))
    assert failure.lines(style, more=False) == "error: unexpected KeyError\nhint: report it\n"


def test_a_bug_is_reported_in_a_box_on_a_terminal() -> None:
    failure = Failure("bug", "unexpected KeyError", "report it", int(ExitStatus.BUG))
    first, *lines, last = failure.lines(Style(width=40), more=False).splitlines()
    assert "error" in first
    assert [line.strip("│ ") for line in lines] == ["unexpected KeyError", "", "hint: report it"]
    assert set(last) == set("╰─╯")


def test_other_errors_are_lines_that_can_be_searched() -> None:
    failure = Failure("usage", "no such option", None, int(ExitStatus.USAGE))
    assert failure.lines(Style(width=40), more=False) == "error: no such option\n"
