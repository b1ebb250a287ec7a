"""Golden output on a terminal: colours, bars and truncated lines.

``GHCRCTL_WRITE_GOLDEN=1`` rewrites the files. ``make pictures`` draws the same runs.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli.format.cells import display_width
from tests.packages_double import GitHubDouble
from tests.pictures.terminal import Terminal, prepared
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

GOLDEN = Path(__file__).parent / "golden"
# Read before fixtures isolate the environment.
_WRITE = bool(os.environ.get("GHCRCTL_WRITE_GOLDEN"))
_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;[^\x1b]*\x1b\\")
COMMANDS = (
    "ghcrctl images",
    "ghcrctl images --digests --exact",
    "ghcrctl images --tree",
    "ghcrctl df",
    "ghcrctl df -v",
    "ghcrctl history octo/app:1.3",
    "ghcrctl diff --files octo/app:1.1 octo/app:1.2",
    "ghcrctl tags --long octo/app",
    "ghcrctl outdated --all",
    "ghcrctl packages list octo",
    "ghcrctl packages show octo/app",
    "ghcrctl packages show --tree octo/app",
    "ghcrctl packages versions octo/app",
    "ghcrctl packages prune octo/app --include 'pr-*' --dry-run --show-kept",
)


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    with GitHubDouble() as github:
        yield prepared(tmp_path_factory.mktemp("terminal") / "home", github)


def shown(terminal: Terminal, line: str, width: int) -> str:
    """Run a command and return the final state of its output."""
    lines = terminal.run(line, width).split("\n")
    return "\n".join(row.rpartition("\r\x1b[K")[2] for row in lines)


@pytest.mark.parametrize("width", [80, 160])
def test_terminal_output_matches_the_golden_file(terminal: Terminal, width: int) -> None:
    parts = [f"$ {line}\n{shown(terminal, line, width)}" for line in COMMANDS]
    seen = "\n".join(parts).replace("\x1b", "␛")
    path = GOLDEN / f"terminal-{width}.txt"
    if _WRITE:
        path.write_text(seen)
    assert seen == path.read_text()


@pytest.mark.parametrize("width", [40, 72])
def test_tables_fit_any_width(terminal: Terminal, width: int) -> None:
    for line in (*COMMANDS[:2], *COMMANDS[4:6]):
        for row in _SEQUENCE.sub("", shown(terminal, line, width)).splitlines():
            # The legend below bars is a line of text.
            assert display_width(row) <= width or row.startswith("█"), (line, row)


@pytest.mark.parametrize("width", [1, 20, 40])
def test_explanations_are_read_on_any_terminal(terminal: Terminal, width: int) -> None:
    listed = _SEQUENCE.sub("", shown(terminal, "ghcrctl explain", width))
    assert "manifest-unknown" in listed
    assert max(map(len, listed.splitlines())) <= max(width, 31)
    page = _SEQUENCE.sub("", shown(terminal, "ghcrctl explain size-mismatch", width))
    told = page.partition("Example:")[0].splitlines()[1:]
    assert max(map(len, told)) <= max(width, 31)


def test_without_colour_nothing_but_text_is_written(terminal: Terminal) -> None:
    terminal.environ["NO_COLOR"] = "1"
    try:
        for line in COMMANDS[2:7]:
            assert "\x1b" not in shown(terminal, line, 100), line
    finally:
        del terminal.environ["NO_COLOR"]


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii", "utf-8"])
def test_a_console_of_any_encoding_shows_everything(terminal: Terminal, encoding: str) -> None:
    terminal.environ["PYTHONIOENCODING"] = encoding
    try:
        tree = _SEQUENCE.sub("", shown(terminal, "ghcrctl images --tree", 100))
        assert ("├── linux/amd64" in tree) == (encoding in {"cp437", "utf-8"})
        assert ("|-- linux/amd64" in tree) == (encoding in {"cp1252", "ascii"})
        assert ("###=" in tree) == (encoding in {"cp1252", "ascii"})
    finally:
        del terminal.environ["PYTHONIOENCODING"]


def test_the_c_locale_gets_ascii(terminal: Terminal) -> None:
    terminal.environ["LC_ALL"] = "C"
    try:
        for line in (*COMMANDS[1:7], *COMMANDS[11:], "ghcrctl explain size-mismatch"):
            seen = shown(terminal, line, 80)
            assert seen.isascii(), seen
            assert "\\u" not in seen
    finally:
        del terminal.environ["LC_ALL"]


def test_names_of_packages_are_links_where_the_terminal_has_them(terminal: Terminal) -> None:
    page = "https://github.com/users/octo/packages/container/package/app"
    assert page not in shown(terminal, "ghcrctl packages list octo", 100)
    terminal.environ["TERM_PROGRAM"] = "WezTerm"
    try:
        seen = shown(terminal, "ghcrctl packages list octo", 100)
        assert f"\x1b]8;;{page}\x1b\\\x1b[1mocto/app\x1b[0m\x1b]8;;\x1b\\" in seen
        # Combining characters have no width.
        [row] = [line for line in _SEQUENCE.sub("", seen).splitlines() if "octo/app " in line]
        assert row.startswith("octo/app      public")
    finally:
        del terminal.environ["TERM_PROGRAM"]


def test_forced_colour_is_used_in_a_pipe(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    plain = shell.ok("images")
    shell.environ["FORCE_COLOR"] = "1"
    coloured = shell.ok("images")
    assert coloured != plain
    assert [_SEQUENCE.sub("", line) for line in coloured] == plain
    assert shell.ok("images", "--format", "json") == []
