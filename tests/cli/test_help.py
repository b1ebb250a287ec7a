"""The help texts of all commands and options."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from ghcrctl.cli.commands.images.image import WORDS as IMAGE_COMMANDS
from ghcrctl.cli.commands.store.system import WORDS as SYSTEM_COMMANDS
from ghcrctl.cli.main import COMMANDS, cli
from ghcrctl.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_LENGTH = 60


def all_commands(group: click.Group, lead: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its full name, including groups."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{lead}{name}", command
        if isinstance(command, click.Group):
            yield from all_commands(command, f"{lead}{name} ")


ALL = dict(all_commands(cli))


def options(command: click.Command) -> list[click.Option]:
    """Return the listed options of a command."""
    return [p for p in command.params if isinstance(p, click.Option) and not p.hidden]


def test_option_help_is_one_short_sentence() -> None:
    texts = {option.help or "" for command in ALL.values() for option in options(command)}
    pattern = re.compile(rf"(?=[A-Z]).{{1,{_MAX_LENGTH - 1}}}\.")
    assert not [text for text in texts if not pattern.fullmatch(text)]


def test_command_descriptions_are_short_phrases() -> None:
    texts = {command.get_short_help_str(200) for command in ALL.values()}
    pattern = re.compile(rf"[A-Z].{{1,{_MAX_LENGTH - 1}}}(?<!\.)")
    assert not [text for text in texts if not pattern.fullmatch(text)]


def test_defaults_are_shown_by_click() -> None:
    texts = {option.help or "" for command in ALL.values() for option in options(command)}
    assert not [text for text in texts if re.search(r"\bdefault: |by default", text)]


def test_a_shared_option_has_one_help_text() -> None:
    shared = {"jobs", "retries", "timeout", "progress", "insecure", "store", "debug", "digest_file"}
    texts = {
        (option.name, option.help)
        for command in ALL.values()
        for option in options(command)
        if option.name in shared
    }
    assert len(texts) == len(shared)


def test_shown_defaults_are_those_of_the_settings() -> None:
    defaults = {setting.name: setting.default for setting in SETTINGS}
    shown = {
        str(option.name): option.show_default
        for command in ALL.values()
        for option in options(command)
        if option.name in defaults and isinstance(option.show_default, str)
    }
    assert {"jobs", "retries", "connect_timeout", "stall_timeout", "progress"} <= set(shown)
    for name, text in shown.items():
        if name in {"human", "platform"}:
            continue
        wanted = defaults[name]
        assert text == (f"{wanted:g}" if isinstance(wanted, float) else str(wanted)), name


@pytest.mark.parametrize("words", [IMAGE_COMMANDS, SYSTEM_COMMANDS], ids=["image", "system"])
def test_docker_aliases_have_the_description_of_their_command(
    words: dict[str, tuple[str, str, str]],
) -> None:
    for own, module, text in words.values():
        assert COMMANDS[own] == (module, text)
