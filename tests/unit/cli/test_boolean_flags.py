from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from ghcrctl.cli.boolean_flags import is_switched_off, plain_flags
from ghcrctl.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator


def context(*words: str) -> click.Context:
    current = click.Context(cli, info_name="ghcrctl")
    for word in words:
        assert isinstance(current.command, click.Group)
        command = current.command.get_command(current, word)
        assert command is not None
        current = click.Context(command, info_name=word, parent=current)
    return current


def every_context(current: click.Context) -> Iterator[click.Context]:
    yield current
    if isinstance(current.command, click.Group):
        for name in current.command.list_commands(current):
            yield from every_context(context(*current.command_path.split()[1:], name))


EVERY = {each.command_path: each for each in every_context(context())}


@pytest.mark.parametrize("path", EVERY)
def test_every_boolean_flag_of_every_command_takes_a_value(path: str) -> None:
    ctx = EVERY[path]
    flags = [o for o in ctx.command.get_params(ctx) if isinstance(o, click.Option) and o.is_flag]
    assert flags
    for option in flags:
        for name in option.opts:
            on, off = (plain_flags(ctx, [f"{name}={value}"]) for value in ("true", "0"))
            assert on in ([name], [option.opts[0]])
            assert off == ([option.secondary_opts[0]] if option.secondary_opts else [])
        for name in option.secondary_opts:
            assert plain_flags(ctx, [f"{name}=T"]) == [option.secondary_opts[0]]
            assert plain_flags(ctx, [f"{name}=False"]) == [option.opts[0]]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["-q=true", "name"], ["-q", "name"]),
        (["-aq=false", "name"], ["-a", "name"]),
        (["-q", "-q=0"], []),
        (["-aq", "--quiet=F"], ["-a"]),
        (["-q=0", "-q"], ["-q"]),
        (["-q=TRUE", "-f", "-q=false"], ["-q", "-f", "-q=false"]),
        (["-q=1", "--filter", "--quiet=x"], ["-q", "--filter", "--quiet=x"]),
        (["-q=1", "--filter=--quiet=x"], ["-q", "--filter=--quiet=x"]),
        (["-q=1", "-aflabel=x"], ["-q", "-a", "-flabel=x"]),
        (["-q=1", "-af", "label=x"], ["-q", "-a", "-f", "label=x"]),
        (["-q=1", "--", "-q=x"], ["-q", "--", "-q=x"]),
        (["-q=1", "", "-"], ["-q", "", "-"]),
        (["-q=1", "--unknown=true", "-Z"], ["-q", "--unknown=true", "-Z"]),
        (["--filter", ""], ["--filter", ""]),
        (["-aq", "name"], ["-aq", "name"]),
        (["--human=false"], ["--no-human"]),
        (["--no-human=0"], ["-H"]),
        (["-f=dangling=true"], ["-f", "dangling=true"]),
        (["-af=label=x", "name"], ["-a", "-f", "label=x", "name"]),
        (["-f==x"], ["-f", "=x"]),
        (["-f="], ["-f="]),
    ],
)
def test_arguments_are_parsed_like_dockers(given: list[str], wanted: list[str]) -> None:
    assert plain_flags(context("images"), given) == wanted


@pytest.mark.parametrize("value", ["", "yes", "maybe", "tRUE", "2", " true"])
@pytest.mark.parametrize("flag", ["-q", "--quiet", "--no-human", "-aq"])
def test_a_value_that_is_not_a_boolean_is_refused(flag: str, value: str) -> None:
    with pytest.raises(click.UsageError, match="expected true or false"):
        plain_flags(context("images"), [f"{flag}={value}"])


def test_a_groups_flags_end_at_its_command() -> None:
    given = ["-D=true", "images", "-q=maybe"]
    assert plain_flags(context(), given) == ["-D", "images", "-q=maybe"]


def test_a_flag_that_is_switched_off_is_remembered_for_settings() -> None:
    ctx = context("images")
    plain_flags(ctx, ["--no-input=false", "-q=1"])
    assert is_switched_off(ctx, "no_input")
    assert not is_switched_off(ctx, "quiet")
