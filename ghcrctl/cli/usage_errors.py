"""Translation of errors of click's parser into ghcrctl's messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.missing_docker_commands import closest_command

if TYPE_CHECKING:
    from collections.abc import Sequence

_REFUSED = re.compile(r"'(.*)' is not |(\S+) is not in the range", re.DOTALL)
_EXTRA = re.compile(r"Got unexpected extra arguments? \((.*)\)", re.DOTALL)
# Never suggest an option that deletes, replaces or skips a prompt.
_RISKY = frozenset(("--all", "--delete", "--force", "--no-input", "--purge", "--replace", "--yes"))


def usage_error(error: click.ClickException) -> tuple[str, str | None]:
    """Return the message and the hint for an error of click."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f"see `{context.command_path} --help`" if context else None
    return _message(error), hint


def _message(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption):
        return _unknown_option(error)
    if isinstance(error, click.MissingParameter) and error.param:
        return _missing(error.param)
    if isinstance(error, click.BadParameter) and error.param:
        return _invalid(error, error.param)
    if isinstance(error, click.BadOptionUsage):
        return f"option {error.option_name} requires a value"
    extra = _EXTRA.match(error.message)
    if extra:
        several = "s" if " " in extra[1] else ""
        return f"unexpected argument{several} `{extra[1]}`"
    return _plain(error.message)


def _unknown_option(error: click.NoSuchOption) -> str:
    params = error.ctx.command.get_params(error.ctx) if error.ctx else []
    names = {name for param in params for name in param.opts if name.startswith("--")}
    near = closest_command(error.option_name, names - _RISKY)
    return f"unknown option `{error.option_name}`" + (f"; did you mean `{near}`?" if near else "")


def _missing(param: click.Parameter) -> str:
    expected = _expected(param.type)
    tail = f": expected {expected}" if expected else ""
    if isinstance(param, click.Option):
        return f"missing option {_name(param)}{tail}"
    return f"missing argument {_name(param)}{tail}"


def _invalid(error: click.BadParameter, param: click.Parameter) -> str:
    refused = _REFUSED.match(error.message)
    expected = _expected(param.type)
    if refused and expected:
        value = refused[1] if refused[1] is not None else refused[2]
        return f"invalid value `{value}` for {_name(param)}: expected {expected}"
    return f"invalid value for {_name(param)}: {_plain(error.message)}"


def _name(param: click.Parameter) -> str:
    """Return the long name of an option, or the name of an argument in the help."""
    if isinstance(param, click.Option):
        return max((*param.opts, *param.secondary_opts), key=len)
    return param.metavar or (param.name or "").upper()


def _expected(type_: click.ParamType[Any]) -> str | None:
    if isinstance(type_, click.Choice):
        return _either([str(choice) for choice in type_.choices])
    if isinstance(type_, click.IntRange):
        return _whole_number(type_)
    if isinstance(type_, click.Path):
        return "a path"
    if isinstance(type_, type(click.INT)):
        return "a whole number"
    return "a number" if isinstance(type_, type(click.FLOAT)) else None


def _whole_number(limits: click.IntRange) -> str:
    if limits.min is None or limits.max is None:
        return "a whole number" if limits.min is None else f"a whole number of {limits.min} or more"
    return f"a whole number from {limits.min} to {limits.max}"


def _either(words: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _plain(message: str) -> str:
    """Return a message in one line, with backticks as quotes."""
    line = " ".join(message.split()).rstrip(".")
    return f"{line[:1].lower()}{line[1:]}".replace("'", "`")
