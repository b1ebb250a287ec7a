"""The completion protocols of the four shells, based on click's classes."""

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
# Match escapes and closed quotes in a bash command line, and the start of an open quote.
_CLOSED = re.compile(r"""\\.|"(?:[^"\\]|\\.)*"|'[^']*'""")
_OPEN = re.compile("[\"']")
_OPTION_WITH_VALUE = re.compile(r"--[^=]+=")


def script(shell: str) -> str:
    """Return the completion script for a shell."""
    return (files(__package__) / "scripts" / SCRIPTS[shell]).read_text(encoding="utf-8")


class Shell(ShellComplete):
    """The base class of shells. By default, the script passes words without quotes.

    Args:
        cli: the program's commands.
        given: the arguments of the script that describe the command line.
    """

    source_template = ""

    def __init__(self, cli: click.Group, given: Sequence[str]) -> None:
        super().__init__(cli, {}, "ghcrctl", "")
        self.given = given

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words between program name and current word, and the current word."""
        *before, word = self.given
        return before, word

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return candidates for a word. For ``--option=value``, they include the option."""
        context = _resolve_context(self.cli, self.ctx_args, self.prog_name, args)
        param, value = _resolve_incomplete(context, list(args), incomplete)
        found = candidates(context, param, value)
        option = _OPTION_WITH_VALUE.match(incomplete)
        if option and incomplete != value:
            return [_joined(option[0], item) for item in found]
        return found

    def format_completion(self, item: CompletionItem) -> str:
        """Return the output line of a candidate."""
        kind = item.type
        if kind == "plain" and item.value.endswith((":", "/", "=")):
            kind = "open"
        help_ = printable(" ".join((item.help or "").split()))
        return "\t".join((kind, item.value, help_))


class Fish(Shell):
    """fish, which passes words without quotes."""

    name = "fish"


class Zsh(Shell):
    """zsh, which passes words with their quotes."""

    name = "zsh"

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words without quotes."""
        *before, word = map(_unquoted, self.given)
        return before, word


class Bash(Shell):
    """bash, which passes the line, the cursor position in bytes and the word-break characters.

    bash replaces only the text after the last word break before the cursor.
    """

    name = "bash"

    def get_completion_args(self) -> tuple[list[str], str]:
        """Split the line at spaces only."""
        before = self._before_cursor()
        words = split_arg_string(before)
        word = words.pop() if words and not before[-1:].isspace() else ""
        return words[1:], word

    def _before_cursor(self) -> str:
        line, point, _ = self.given
        return line.encode()[: int(point)].decode(errors="replace")

    def format_completion(self, item: CompletionItem) -> str:
        """Return the output line, without the text that bash keeps before the cursor."""
        typed = self.get_completion_args()[1]
        within = _quoted(self._before_cursor())
        if within is None:
            kept = max((typed.rfind(mark) for mark in self.given[2]), default=-1) + 1
        else:
            # bash does not break words within quotes.
            kept = max(0, len(typed) - len(within))
        if item.type == "plain" and item.value.startswith(typed[:kept]):
            kind, value, help_ = super().format_completion(item).split("\t")
            return "\t".join((kind, value[kept:], help_))
        return super().format_completion(item)


class PowerShell(Shell):
    """PowerShell, which passes the line in base64. Backslashes have no special meaning."""

    name = "powershell"

    def get_completion_args(self) -> tuple[list[str], str]:
        """Split the line at spaces outside quotes."""
        line = base64.b64decode(self.given[0]).decode()
        words = [m[1] or m[2] or m[3] or "" for m in _POWERSHELL_WORD.finditer(line)]
        word = words.pop() if words and not line[-1:].isspace() else ""
        return words[1:], word


_POWERSHELL_WORD = re.compile(r"\"([^\"]*)\"?|'([^']*)'?|([^\s\"']+)")
SHELLS: dict[str, type[Shell]] = {cls.name: cls for cls in (Bash, Zsh, Fish, PowerShell)}


def print_candidates(cli: click.Group, shell: str, given: Sequence[str]) -> None:
    """Print candidates for a completion script and exit. On any error, print nothing.

    Args:
        cli: the program's commands.
        shell: the name of the shell.
        given: the arguments of the script that describe the command line.
    """
    try:
        lines = SHELLS[shell](cli, given).complete()
    except Exception:  # noqa: BLE001 errors would disturb the user's typing
        lines = ""
    with suppress(OSError):
        if lines:
            sys.stdout.write(f"{lines}\n")
        sys.stdout.flush()
    # Do not wait for threads with a pending request.
    os._exit(0)


def _quoted(text: str) -> str | None:
    """Return the text after an open quote; ``None`` if there is none."""
    left = _CLOSED.sub("", text)
    found = _OPEN.search(left)
    return left[found.end() :] if found else None


def _unquoted(word: str) -> str:
    words = split_arg_string(word)
    return words[0] if words else ""


def _joined(option: str, item: CompletionItem) -> CompletionItem:
    return CompletionItem(f"{option}{item.value}", item.type, item.help)
