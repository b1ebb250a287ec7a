"""Errors as text, on a terminal and in a pipe."""

from __future__ import annotations

from ghcrctl.cli.errors_out import Failure, warning
from ghcrctl.cli.format.style import PLAIN, Style
from ghcrctl.errors import ExitStatus

DENIED = Failure("denied", "cannot pull: access denied", "sign in", ExitStatus.AUTH)
MISTYPED = Failure("usage", "unknown command `pul`", "see `ghcrctl --help`", ExitStatus.USAGE)
TERMINAL = Style(width=80)
COLOURFUL = Style(width=80, in_colour=True)


def test_a_pipe_gets_the_message_and_the_hint() -> None:
    assert DENIED.lines(PLAIN, more=True) == "error: cannot pull: access denied\nhint: sign in\n"
    bare = Failure("integrity", "it ends too early", None, ExitStatus.INTEGRITY)
    assert bare.lines(PLAIN, more=True) == "error: it ends too early\n"


def test_a_terminal_shows_the_explain_command_if_it_helps() -> None:
    assert DENIED.lines(TERMINAL, more=True).endswith("\nmore: ghcrctl explain denied\n")
    assert "more:" not in DENIED.lines(TERMINAL, more=False)
    assert "more:" not in MISTYPED.lines(TERMINAL, more=True)
    found = Failure("no-such-image", "no such image: x", "`ghcrctl images`", ExitStatus.NOT_FOUND)
    assert "more:" not in found.lines(TERMINAL, more=True)
    bare = Failure("not-found", "no such file: x", None, ExitStatus.NOT_FOUND)
    assert bare.lines(TERMINAL, more=True).endswith("more: ghcrctl explain not-found\n")


def test_labels_do_not_depend_on_colour() -> None:
    error, hint, more = DENIED.lines(COLOURFUL, more=True).splitlines()
    assert error == "\x1b[1;31merror:\x1b[0m cannot pull: access denied"
    assert hint == "\x1b[1;36mhint:\x1b[0m sign in"
    assert "ghcrctl explain denied" in more
    assert warning("x", COLOURFUL) == "\x1b[1;33mwarning:\x1b[0m x\n"


def test_foreign_text_cannot_control_the_terminal() -> None:
    sly = Failure("denied", "it says: \x1b[2J", "\x07", ExitStatus.AUTH)
    assert "\x1b[2J" not in sly.lines(COLOURFUL, more=True)
    assert "\x07" not in sly.lines(COLOURFUL, more=True)


def test_a_message_keeps_its_lines() -> None:
    told = Failure("invalid-template", "invalid template\n  {{\n  ^", None, ExitStatus.USAGE)
    assert told.lines(PLAIN, more=True) == "error: invalid template\n  {{\n  ^\n"
