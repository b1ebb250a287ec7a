"""What pages call by name is there: commands, their options, settings."""

from __future__ import annotations

import itertools
import re
import shlex
from typing import TYPE_CHECKING

import click
import pytest

from ghcrctl.cli.main import cli
from ghcrctl.settings import SETTINGS
from tests.architecture.sources import ROOT, name_of

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted(
    path
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if not {"_build", "reference"} & set(path.parts)
    # There somebody types what is not there.
    and path.stem != "first-five-minutes"
)
each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
_COMMAND = re.compile(r"`ghcrctl ([^`]+)`")
_FENCED = re.compile(r"^ *```(?:sh|console)?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"^ *(?:\$ )?ghcrctl (.+)$", re.MULTILINE)
_VARIABLE = re.compile(r"\bGHCRCTL_[A-Z_]+\b")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
# What is read beside the settings, and what only the tests read.
_OTHER_VARIABLES = {
    "GHCRCTL_CACHE_DIR",
    "GHCRCTL_CONFIG_DIR",
    "GHCRCTL_DEST_PASSWORD",
    "GHCRCTL_FIRE",
    "GHCRCTL_FIRE_SEED",
    "GHCRCTL_REGISTRY",
    "GHCRCTL_SRC_PASSWORD",
    "GHCRCTL_TOKEN",
    "GHCRCTL_USERNAME",
    "GHCRCTL_WRITE_GOLDEN",
}


@each_page
def test_commands_and_options_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for block in _FENCED.findall(text) for line in _LINE.findall(block)]
    for line in [*_COMMAND.findall(text), *lines]:
        command, rest = _command(_words(line))
        known = {name for parameter in command.params for name in parameter.opts}
        known |= {name for parameter in command.params for name in parameter.secondary_opts}
        options = {word.partition("=")[0] for word in rest if _OPTION.match(word)}
        assert options - known <= {"--help"}, line


def _words(line: str) -> list[str]:
    """Return the words of a command line, up to where the shell begins another."""
    words = shlex.shlex(line, posix=True, punctuation_chars="|;&<>")
    words.whitespace_split = True
    return list(itertools.takewhile(lambda word: not set(word[:2]) <= set("|;&<>$("), words))


def _command(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that words begin with, and the other words."""
    found: click.Command = cli
    while isinstance(found, click.Group) and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        context = click.Context(found)
        inner = found.get_command(context, words[0])
        assert inner is not None, f"there is no command `{words[0]}`"
        found, words = inner, words[1:]
    return found, words


@each_page
def test_variables_that_a_page_names_are_there(page: Path) -> None:
    named = set(_VARIABLE.findall(page.read_text(encoding="utf-8")))
    assert named <= {setting.env for setting in SETTINGS} | _OTHER_VARIABLES
