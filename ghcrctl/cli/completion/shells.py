"""The protocols of the four shells, on click's classes.

What belongs here: reading the line so far, writing candidates for each shell. What does not: which
candidates there are (``values``).
"""

from __future__ import annotations

import base64
import os
import re
import sys
from contextlib import suppress
from importlib.resources import files
from typing import TYPE_CHECKING

from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    _resolve_context,
    _resolve_incomplete,
    split_arg_string,
)

from ghcrctl.cli.completion.values import candidates
from ghcrctl.cli.format.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

SCRIPTS = {
    "bash": "ghcrctl.bash",
    "zsh": "_ghcrctl",
    "fish": "ghcrctl.fish",
    "powershell": "ghcrctl.ps1",
}
# Of a line of bash: what is no open quote, and one.
_CLOSED = re.compile(r"""\\.|"(?:[^"\\]|\\.)*"|'[^']*'""")
_OPEN = re.compile("[\"']")
_OPTION_WITH_VALUE = re.compile(r"--[^=]+=")


def script(shell: str) -> str:
    """Return the script that a shell reads."""
    return (files(__package__) / "scripts" / SCRIPTS[shell]).read_text(encoding="utf-8")


class Shell(ShellComplete):
    """What all shells have in common: words, one a line, and answers with tabs between.

    Args:
        cli: the program's commands.
        given: what the script says of the line; here each word without quotes.
    """

    source_template = ""

    def __init__(self, cli: click.Group, given: Sequence[str]) -> None:
        super().__init__(cli, {}, "ghcrctl", "")
        self.given = given

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words so far without the program's, and the one that is being typed."""
        *before, word = self.given
        return before, word

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return what a word may become; for ``--option=value`` with the option."""
        context = _resolve_context(self.cli, self.ctx_args, self.prog_name, args)
        asked, value = _resolve_incomplete(context, list(args), incomplete)
        found = candidates(context, asked, value)
        option = _OPTION_WITH_VALUE.match(incomplete)
        if option and incomplete != value:
            return [_joined(option[0], item) for item in found]
        return found

    def format_completion(self, item: CompletionItem) -> str:
        """Write one candidate."""
        kind = item.type
        if kind == "plain" and item.value.endswith((":", "/", "=")):
            kind = "open"
        help_ = printable(" ".join((item.help or "").split()))
        return "\t".join((kind, item.value, help_))


class Fish(Shell):
    """fish: words without quotes."""

    name = "fish"


class Zsh(Shell):
    """zsh: words as they are quoted."""

    name = "zsh"

    def get_completion_args(self) -> tuple[list[str], str]:
        """Take the quotes away."""
        *before, word = map(_unquoted, self.given)
        return before, word


class Bash(Shell):
    """bash: the line, the bytes in it before the cursor, and where bash takes words apart.

    The answer is for what comes after the last of these places.
    """

    name = "bash"

    def get_completion_args(self) -> tuple[list[str], str]:
        """Take the line apart at spaces only."""
        before = self._before_cursor()
        words = split_arg_string(before)
        word = words.pop() if words and not before[-1:].isspace() else ""
        return words[1:], word

    def _before_cursor(self) -> str:
        line, point, _ = self.given
        return line.encode()[: int(point)].decode(errors="replace")

    def format_completion(self, item: CompletionItem) -> str:
        """Leave out what bash has in front of the cursor already."""
        typed = self.get_completion_args()[1]
        within = _quoted(self._before_cursor())
        if within is None:
            kept = max((typed.rfind(mark) for mark in self.given[2]), default=-1) + 1
        else:
            # Within quotes it takes nothing apart.
            kept = max(0, len(typed) - len(within))
        if item.type == "plain" and item.value.startswith(typed[:kept]):
            kind, value, help_ = super().format_completion(item).split("\t")
            return "\t".join((kind, value[kept:], help_))
        return super().format_completion(item)


class PowerShell(Shell):
    """PowerShell: the line, packed; a backslash is a character like any other."""

    name = "powershell"

    def get_completion_args(self) -> tuple[list[str], str]:
        """Take the line apart at spaces outside quotes."""
        line = base64.b64decode(self.given[0]).decode()
        words = [m[1] or m[2] or m[3] or "" for m in _POWERSHELL_WORD.finditer(line)]
        word = words.pop() if words and not line[-1:].isspace() else ""
        return words[1:], word


_POWERSHELL_WORD = re.compile(r"\"([^\"]*)\"?|'([^']*)'?|([^\s\"']+)")
SHELLS: dict[str, type[Shell]] = {made.name: made for made in (Bash, Zsh, Fish, PowerShell)}


def answer(cli: click.Group, shell: str, given: Sequence[str]) -> None:
    """Answer a script; in silence where something goes wrong, whatever it is.

    Args:
        cli: the program's commands.
        shell: which one asks.
        given: what it says of the line.
    """
    try:
        lines = SHELLS[shell](cli, given).complete()
    except Exception:  # noqa: BLE001 a person who types is not to be disturbed
        lines = ""
    with suppress(OSError):
        if lines:
            sys.stdout.write(f"{lines}\n")
        sys.stdout.flush()
    # A thread may still wait for a registry.
    os._exit(0)


def _quoted(text: str) -> str | None:
    """Return what stands behind a quote that is not closed; ``None`` where there is none."""
    left = _CLOSED.sub("", text)
    found = _OPEN.search(left)
    return left[found.end() :] if found else None


def _unquoted(word: str) -> str:
    words = split_arg_string(word)
    return words[0] if words else ""


def _joined(option: str, item: CompletionItem) -> CompletionItem:
    return CompletionItem(f"{option}{item.value}", item.type, item.help)
