"""Prompts, on a terminal and without one."""

from __future__ import annotations

import io

import click
import pytest

from ghcrctl.cli.format.style import PLAIN, Style
from ghcrctl.cli.prompts import ask, choose, confirm

_STYLES = [PLAIN, Style(width=80), Style(width=20, encoding="ascii")]


@pytest.fixture(params=_STYLES, ids=["pipe", "terminal", "ascii"])
def style(request: pytest.FixtureRequest) -> Style:
    style: Style = request.param
    return style


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("y\n", True), ("YES\n", True), ("\n", False), ("no\n", False), ("perhaps\ny\n", True)],
)
def test_a_confirmation_accepts_yes_and_no(
    typed: str,
    style: Style,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    expected: bool,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert confirm("Continue?", style) is expected
    shown = capsys.readouterr()
    assert "Continue? [y/N]: " in shown.err
    assert ("answer y or n" in shown.err) is (typed == "perhaps\ny\n")
    assert "Error" not in shown.err
    assert shown.out == ""


def test_a_choice_lists_its_answers(
    style: Style, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("x\nR\n"))
    answers = {"y": 1, "yes": 1, "n": 2, "r": 3}
    assert choose("Go?", "[y/N/r]", answers, style) == 3
    assert "answer y, n or r" in capsys.readouterr().err


def test_the_end_of_input_aborts(style: Style, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(click.Abort):
        confirm("Continue?", style)


def test_foreign_text_in_a_question_is_neither_markup_nor_control_sequence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(" octo/app \n"))
    assert ask("Type [bold]x\x1b[2J", "", Style(width=80)) == "octo/app"
    shown = capsys.readouterr().err
    assert "[bold]x" in shown
    assert "\x1b" not in shown
