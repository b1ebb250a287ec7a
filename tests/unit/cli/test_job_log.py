from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli.app import App
from ghcrctl.cli.github_actions import Actions
from ghcrctl.cli.job_log import without_commands

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = ["::error::x", "  ::set-env name=A::b", "\u00a0\t::x::", "a ##[group]b", "##[endgroup]"]


def obeyed(text: str) -> list[str]:
    """Return the lines that a runner would execute as commands."""
    lines = re.split(r"\r\n|\r|\n", text)
    return [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


@pytest.mark.parametrize("text", [*HOSTILE, "x\r::y::", "x\n\n \n::y::", ":::x::", "####[x]"])
def test_no_text_is_a_workflow_command(text: str) -> None:
    assert obeyed(text)
    assert not obeyed(without_commands(text))


@pytest.mark.parametrize(
    "text", ["", "a::b", "x\ny: z", ":x:", "#[x]", "sha256:abc", "fe80::1", "#\n#[x]"]
)
def test_other_text_is_not_changed(text: str) -> None:
    assert without_commands(text) == text


def test_escaped_json_has_the_same_value() -> None:
    document = {"##[a]": ["::b::", "\\##[c]", "\n::d::"]}
    for indent in (None, 4):
        text = json.dumps(document, indent=indent)
        assert json.loads(without_commands(text)) == document


def test_many_blank_lines_are_fast() -> None:
    assert without_commands("\n " * 200_000 + "::") == "\n " * 200_000 + "\\x3a:"


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    return App()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "write",
    [
        lambda app, text: app.out(text),
        lambda app, text: app.write(f"first\n{text}\n"),
        lambda app, text: app.warn(f"{text}\n{text}"),
        lambda app, text: app.error_line(text),
        lambda app, text: app.foreign_line(text),
        lambda app, text: app.debug(f"\n{text}"),
        lambda app, text: app.json_line({"error": {"message": text}}),
        lambda app, text: app.event_line({"name": text}),
    ],
)
def test_foreign_text_is_never_a_workflow_command(
    job: App, capsys: pytest.CaptureFixture[str], text: str, write: Callable[[App, str], None]
) -> None:
    write(job, text)
    written = capsys.readouterr()
    assert written.out or written.err
    assert not obeyed(written.out + written.err)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hint_names_a_ghcrctl_command(
    job: App, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    job.failure("bug", f"{text}\n{text}", text, 1)
    (command,) = obeyed(capsys.readouterr().err)
    assert command.startswith("::error title=ghcrctl (bug)::")
    assert "##[" not in command


def test_a_group_title_is_not_a_command(job: App, capsys: pytest.CaptureFixture[str]) -> None:
    Actions(job.settings, job.workflow_command).group("x\n::error::y ##[z]")
    assert obeyed(capsys.readouterr().err) == ["::group::x%0A::error::y #\\u0023[z]"]


def test_foreign_text_is_not_a_command_without_annotations(
    job: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GHCRCTL_CI", "false")
    job.failure("bug", "x\n::error::y", None, 1)
    assert not obeyed(capsys.readouterr().err)


def test_outside_a_job_text_is_not_changed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    App().out("::x:: ##[y]")
    assert capsys.readouterr().out == "::x:: ##[y]\n"
