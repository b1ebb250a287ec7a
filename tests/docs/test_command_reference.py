"""The command reference describes every command, and every option once."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import click
import pytest

from ghcrctl.cli.main import cli
from tests.architecture.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
_ENTRY = re.compile(r"^```\{option\} (.+)$", re.MULTILINE)
_SHARED = {"--debug", "--store", "--no-input", "--help", "--insecure", "--ca-file", "--retries"}


def _commands(
    group: click.Group, context: click.Context, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from _commands(command, context, (*path, name))


COMMANDS = dict(_commands(cli, click.Context(cli)))


def section(name: str) -> str:
    """Return the section of a command, without those of its subcommands."""
    found = re.search(rf"^##+ {name}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


def options_in(text: str) -> list[str]:
    """Return the option names that a part of the page describes."""
    names = [name.split()[0] for entry in _ENTRY.findall(text) for name in entry.split(", ")]
    return [name for name in names if name.startswith("-")]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_an_entry_for_each_option(name: str) -> None:
    shared = options_in(section("Global options") + section("Connection options"))
    described = options_in(section(name))
    shown = [p for p in COMMANDS[name].params if isinstance(p, click.Option) and not p.hidden]
    expected = {one for option in shown for one in (*option.opts, *option.secondary_opts)}
    assert expected <= {*described, *shared}
    assert not [one for one, count in Counter(described).items() if count > 1]


@pytest.mark.parametrize("option", sorted(_SHARED))
def test_a_shared_option_is_described_once(option: str) -> None:
    assert options_in(PAGE).count(option) == 1


def test_the_short_form_of_help_is_listed() -> None:
    assert options_in(section("Global options")).count("-h") == 1
    assert "`-h`" in PAGE


def test_a_command_links_to_the_options_it_shares() -> None:
    assert "(#connection-options)" in section("pull")
    assert "(#connection-options)" not in section("images")
    assert "(#global-options)" in section("images")
