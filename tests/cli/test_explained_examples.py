"""Every example in the explanations is real output.

``GHCRCTL_WRITE_GOLDEN=1`` rewrites the examples. Review the changes like any others.
"""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

import click
import pytest

from ghcrctl.cli.explanations import explain_code, explain_status, statuses_by_code
from ghcrctl.cli.explanations.find import find
from ghcrctl.cli.main import cli
from ghcrctl.errors import ExitStatus
from tests.explained.scenes import CODES, EXPLANATIONS, STATUSES, UNUSED
from tests.explained.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.explained.scenes import Scene

# Read before fixtures isolate the environment.
_WRITE = bool(os.environ.get("GHCRCTL_WRITE_GOLDEN"))
_EXAMPLE = re.compile(r"## Example\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
# Codes that are reported without ending the run.
_REPORTED = {"blocked", "bug", "interrupted", "terminated", "usage"}


def played(name: str, scene: Scene, folder: Path) -> tuple[str, list[tuple[str, str]]]:
    with Stage(folder) as stage:
        shown = scene(stage)
        noted = stage.noted
    if _WRITE:
        write(EXPLANATIONS / f"{name}.md", shown)
    return shown, noted


def write(path: Path, shown: str) -> None:
    text = _EXAMPLE.sub("", path.read_text())
    before, words, after = text.partition("## Words\n")
    example = f"## Example\n\n```console\n{shown}\n```\n"
    path.write_text(f"{before.rstrip()}\n\n{example}" + (f"\n{words}{after}" if words else ""))


@pytest.mark.parametrize("code", list(CODES))
def test_the_example_of_a_code_is_real_output(tmp_path: Path, code: str) -> None:
    shown, noted = played(code, CODES[code], tmp_path)
    explained = explain_code(code)
    assert shown == explained.example
    if code != "blocked":
        assert shown.endswith(f"(status {explained.status.value})")
    if code not in _REPORTED:
        assert [its for its, said in noted if said in shown][-1] == code


@pytest.mark.parametrize("status", list(STATUSES))
def test_the_example_of_a_status_is_real_output(tmp_path: Path, status: int) -> None:
    shown, _ = played(f"status-{status}", STATUSES[status], tmp_path)
    assert shown == explain_status(ExitStatus(status)).example
    assert shown.endswith(f"(status {status})")


def test_every_code_is_brought_about_but_those_that_say_that_they_never_are() -> None:
    assert set(CODES) | UNUSED == set(statuses_by_code()), (
        "a new code needs ghcrctl/cli/explanations/CODE.md and a scene in tests/explained/scenes.py"
    )
    assert all("No error has this code" in " ".join(explain_code(c).more) for c in UNUSED)
    assert not CODES.keys() & UNUSED


@pytest.mark.parametrize("status", ExitStatus, ids=str)
def test_every_status_has_an_example_that_ends_with_it(status: ExitStatus) -> None:
    assert explain_status(status).example.endswith(f"(status {status.value})")


@pytest.mark.parametrize("code", sorted(CODES))
def test_the_message_of_an_example_leads_to_its_code(code: str) -> None:
    example = explain_code(code).example
    said = [line for line in example.splitlines() if line.startswith(("error: ", "interrupted"))]
    assert find(said[-1] if said else example).name == code


def test_commands_in_explanations_exist() -> None:
    told = set()
    for path in sorted(EXPLANATIONS.glob("*.md")):
        told |= set(re.findall(r"`(ghcrctl [^`]+)`", _EXAMPLE.sub("", path.read_text())))
    assert len(told) > 20
    for line in sorted(told):
        assert understood(line.replace("COMMAND", "pull")), line


def understood(line: str) -> bool:
    """Return whether all commands and options of a command line exist."""
    words = shlex.split(line)[1:]
    command: click.Command | None = cli
    context = click.Context(cli, info_name="ghcrctl")
    while isinstance(command, click.Group):
        command = command.get_command(context, words.pop(0))
    if command is None or "--help" in words:
        return command is not None
    parser = command.make_parser(click.Context(command, resilient_parsing=True))
    try:
        _, rest, _ = parser.parse_args(args=words)
    except click.UsageError:
        return False
    return not rest or any(isinstance(p, click.Argument) for p in command.params)
