"""Every command and every option is used or described on a page that solves a task."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import click
import pytest

from ghcrctl.cli.main import cli
from tests.architecture.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = ROOT / "docs"
# An option that more commands share needs to appear once, whatever the command.
_FEW_COMMANDS = 10
# An abbreviated list of commands: "`ghcrctl manifest create`, `add`, `remove`".
_GROUPED = re.compile(r"`ghcrctl (?P<path>[a-z ]+) [a-z]+`(?P<others>(?:, (?:and )?`[a-z]+`)+)")


def walk(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield each command below a group with its path, such as ``lock add``."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from walk(command, (*path, name))
        elif command and not command.hidden:
            yield " ".join((*path, name)), command


def options_of(command: click.Command) -> list[tuple[str, ...]]:
    """Return the names of each option that ``--help`` shows."""
    return [
        names
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
        # `--no-untagged` is an option of its own.
        for names in (tuple(option.opts), tuple(option.secondary_opts))
        if names
    ]


COMMANDS = dict(walk(cli))
USES = Counter(names for command in COMMANDS.values() for names in options_of(command))


@cache
def task_pages() -> tuple[str, ...]:
    """Return the text of the README, the tutorials, the how-tos and the topics."""
    folders = (DOCS / "how-to", DOCS / "topics")
    paths = [ROOT / "README.md", *DOCS.glob("*.md"), *(p for f in folders for p in f.glob("*.md"))]
    outside = {"changelog", "comparison", "reliability", "benchmarks", "CONTRIBUTING"}
    texts = [path.read_text(encoding="utf-8") for path in paths if path.stem not in outside]
    return tuple(_spelled_out(text.replace("\\\n", " ")) for text in texts)


def _spelled_out(text: str) -> str:
    """Write the commands of an abbreviated list in full, behind the page."""
    full = [
        f"ghcrctl {match['path']} {name}"
        for match in _GROUPED.finditer(text)
        for name in re.findall(r"`([a-z]+)`", match["others"])
    ]
    return "\n".join((text, *full))


def names(text: str, words: str) -> bool:
    """Check whether a page names a command or an option."""
    return re.search(rf"(?<![\w-]){re.escape(words)}(?![\w-])", text) is not None


@pytest.mark.parametrize("path", COMMANDS)
def test_a_task_page_shows_a_command(path: str) -> None:
    assert any(names(text, f"ghcrctl {path}") for text in task_pages())


@pytest.mark.parametrize("path", COMMANDS)
def test_a_task_page_shows_each_option_of_a_command(path: str) -> None:
    pages = task_pages()
    own = [text for text in pages if names(text, f"ghcrctl {path}")]
    missing = [
        spellings
        for spellings in options_of(COMMANDS[path])
        if not any(
            names(text, spelling)
            for spelling in spellings
            for text in (own if USES[spellings] <= _FEW_COMMANDS else pages)
        )
    ]
    assert not missing, f"no page on `ghcrctl {path}` shows {missing}"


def test_abbreviated_lists_of_commands_are_spelled_out() -> None:
    text = _spelled_out("| x | `ghcrctl lock add`, `remove` | `ghcrctl save`, `load` |")
    assert names(text, "ghcrctl lock remove")
    assert not names(text, "ghcrctl lock load")
