from __future__ import annotations

import io

import click
import pytest

from ghcrctl.cli.prompts import confirm


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [("y\n", True), ("YES\n", True), ("\n", False), ("no\n", False), ("perhaps\ny\n", True)],
)
def test_a_question_is_answered_with_yes_or_no(
    typed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    wanted: bool,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert confirm("Go on?") is wanted
    shown = capsys.readouterr()
    assert "Go on? [y/N]" in shown.err
    assert ("answer y or n" in shown.err) is (typed == "perhaps\ny\n")
    assert "Error" not in shown.err


def test_the_end_of_input_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(click.Abort):
        confirm("Go on?")
