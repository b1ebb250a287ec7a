"""Docker's syntax of flags: ``--quiet=true``, ``-q=false``, ``-aq=0``, ``-f=dangling=true``.

click's flags take no value, and click includes the ``=`` after a short option in the value.
Therefore arguments are rewritten before click parses them. Flags that are switched off are
recorded, because an environment variable may have switched them on. See spf13/pflag, ``flag.go``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SWITCHED_OFF = "ghcrctl.switched_off"


@dataclass(frozen=True, slots=True)
class _Flag:
    """An occurrence of a boolean flag.

    Args:
        option: the option.
        name: as written: ``--quiet``, ``-q``, ``--no-human``.
        value: as written; ``None`` if missing.
        is_on: whether it switches the option on.
    """

    option: click.Option
    name: str
    value: str | None
    is_on: bool


def is_switched_off(ctx: click.Context, name: str) -> bool:
    """Return whether a flag is switched off on the command line."""
    return name in ctx.meta.get(_SWITCHED_OFF, ())


def plain_flags(ctx: click.Context, arguments: Sequence[str]) -> list[str]:
    """Return arguments without values of boolean flags. The last occurrence of a flag wins.

    Raises:
        click.UsageError: a value is not a boolean.
    """
    reader = _Reader(ctx, arguments)
    pieces = list(reader.pieces())
    if not reader.has_values:
        return list(arguments)
    flags = [piece for piece in pieces if isinstance(piece, _Flag)]
    last = {flag.option.name: flag.is_on for flag in flags}
    off = {str(name) for name, is_on in last.items() if not is_on}
    ctx.meta[_SWITCHED_OFF] = ctx.meta.get(_SWITCHED_OFF, frozenset()) | off
    written = (_written(p, off) if isinstance(p, _Flag) else p for p in pieces)
    return [text for text in written if text is not None]


def _written(flag: _Flag, off: set[str]) -> str | None:
    """Return a flag in click's syntax; ``None`` if it must be omitted to switch it off."""
    if flag.option.secondary_opts:
        return (flag.option.opts if flag.is_on else flag.option.secondary_opts)[0]
    return flag.name if flag.is_on and flag.option.name not in off else None


class _Reader:
    """A reader that splits arguments into options and values like click's parser.

    Attributes:
        has_values: whether an argument must be rewritten for click.
    """

    def __init__(self, ctx: click.Context, arguments: Sequence[str]) -> None:
        self._ctx = ctx
        self._left = list(arguments)
        self.has_values = False
        self._options = {
            name: option
            for option in ctx.command.get_params(ctx)
            if isinstance(option, click.Option)
            for name in (*option.opts, *option.secondary_opts)
        }

    def pieces(self) -> Iterator[_Flag | str]:
        """Yield flags parsed, and all other arguments unchanged."""
        while self._left:
            argument = self._left.pop(0)
            is_option = argument[:1] == "-" and argument != "-"
            if argument == "--" or not (is_option or self._ctx.allow_interspersed_args):
                yield argument
                yield from self._left
                return
            if not is_option:
                yield argument
            elif argument.startswith("--"):
                yield from self._long(argument)
            else:
                yield from self._short(argument)

    def _long(self, argument: str) -> Iterator[_Flag | str]:
        name, equals, value = argument.partition("=")
        option = self._options.get(name)
        if option is not None and option.is_flag:
            yield self._flag(option, name, value if equals else None)
            return
        yield argument
        if option is not None and not equals:
            yield from self._value()

    def _short(self, argument: str) -> Iterator[_Flag | str]:
        """Read a group of short options: ``-aq``, ``-aq=false``, ``-aoFILE``."""
        for at in range(1, len(argument)):
            name = f"-{argument[at]}"
            option = self._options.get(name)
            has_value = argument[at + 1 : at + 2] == "="
            if option is not None and not option.is_flag and has_value and argument[at + 2 :]:
                self.has_values = True
                yield from (name, argument[at + 2 :])
                return
            if option is None or not option.is_flag:
                yield f"-{argument[at:]}"
                if option is not None and at == len(argument) - 1:
                    yield from self._value()
                return
            if has_value:
                yield self._flag(option, name, argument[at + 2 :])
                return
            yield self._flag(option, name, None)

    def _value(self) -> Iterator[str]:
        if self._left:
            yield self._left.pop(0)

    def _flag(self, option: click.Option, name: str, value: str | None) -> _Flag:
        self.has_values = self.has_values or value is not None
        is_true = True if value is None else self._boolean(name, value)
        return _Flag(option, name, value, is_true is (name in option.opts))

    def _boolean(self, name: str, value: str) -> bool:
        # Imported here because few command lines need it and every start loads this module.
        from ghcrctl.oci.go_booleans import parse_bool

        parsed = parse_bool(value)
        if parsed is None:
            reason = f"invalid value `{value}` for {name}: expected true or false"
            raise click.UsageError(reason, self._ctx)
        return parsed
