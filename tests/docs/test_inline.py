"""Commands, options and variables that pages name exist."""

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
from tests.docs.blocks import fenced

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted(
    path
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if not {"_build", "reference"} & set(path.parts)
    # The log shows mistyped commands on purpose.
    and path.stem != "usability-log"
)
each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
_COMMAND = re.compile(r"`ghcrctl ([^`]+)`")
_LINE = re.compile(r"^ *(?:\$ )?ghcrctl (.+)$", re.MULTILINE)
_SHELL = {"", "sh", "console"}
_VARIABLE = re.compile(r"\bGHCRCTL_[A-Z_]+\b")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
# Variables that are not settings, and those of the tests.
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
def test_commands_and_options_in_a_page_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    shell = [block.text for block in fenced(text.splitlines()) if block.language in _SHELL]
    lines = [line for block in shell for line in _LINE.findall(block)]
    for line in [*_COMMAND.findall(text), *lines]:
        command, rest = _command(_words(line))
        known = {name for parameter in command.params for name in parameter.opts}
        known |= {name for parameter in command.params for name in parameter.secondary_opts}
        options = {word.partition("=")[0] for word in rest if _OPTION.match(word)}
        assert options - known <= {"--help"}, line


def _words(line: str) -> list[str]:
    """Return the words of a command line, up to the first shell operator."""
    words = shlex.shlex(line, posix=True, punctuation_chars="|;&<>")
    words.whitespace_split = True
    return list(itertools.takewhile(lambda word: not set(word[:2]) <= set("|;&<>$("), words))


def _command(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that the words begin with, and the remaining words."""
    found: click.Command = cli
    while isinstance(found, click.Group) and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        context = click.Context(found)
        inner = found.get_command(context, words[0])
        assert inner is not None, f"unknown command `{words[0]}`"
        found, words = inner, words[1:]
    return found, words


@each_page
def test_variables_in_a_page_exist(page: Path) -> None:
    named = set(_VARIABLE.findall(page.read_text(encoding="utf-8")))
    assert named <= {setting.env for setting in SETTINGS} | _OTHER_VARIABLES


_MODULE = re.compile(r"`([\w./-]+\.py)`")
_FILES = [
    name_of(path) for part in ("ghcrctl", "tests", "docs") for path in (ROOT / part).rglob("*.py")
]


def unknown_modules(text: str) -> set[str]:
    """Return the Python files that a page names and that do not exist, in whole or by their end."""
    named = set(_MODULE.findall(text))
    return {name for name in named if not any(f"/{path}".endswith(f"/{name}") for path in _FILES)}


@each_page
def test_modules_that_a_page_names_are_there(page: Path) -> None:
    # The changelog names modules of its time.
    if page.stem != "changelog":
        assert not unknown_modules(page.read_text(encoding="utf-8"))


def test_an_unknown_module_is_noticed() -> None:
    text = "`ghcrctl/cli/main.py`, `registry/parallel_ranges.py`, `nothing.py`, `cli/ranges.py`"
    assert unknown_modules(text) == {"nothing.py", "cli/ranges.py"}
