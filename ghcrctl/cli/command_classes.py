"""The classes of commands and groups: common options, examples in help, lazy loading."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.app import App
from ghcrctl.cli.boolean_flags import plain_flags
from ghcrctl.cli.options import setting_option
from ghcrctl.errors import InterruptedByUserError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from click.shell_completion import CompletionItem


def _common() -> list[click.Option]:
    return [
        setting_option("-D", "--debug", is_flag=True, help="Show requests and tracebacks."),
        setting_option("--store", metavar="DIR", help="Set the directory of the image store."),
        setting_option("--no-input", is_flag=True, help="Never prompt; fail instead."),
    ]


class Command(click.Command):
    """A command with the common options and with examples in its help.

    Args:
        examples: command lines shown at the end of the help, one per line.
        needs_settings: whether the command fails if a setting is invalid.
    """

    def __init__(
        self, *args: Any, examples: str = "", needs_settings: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.needs_settings = needs_settings
        self.examples = [line.strip() for line in examples.strip().splitlines()]
        self.params.extend(_common())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, including boolean flags with a value."""
        return _parsed(ctx, args, super().parse_args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, after recording its name and the format of its errors."""
        app = ctx.ensure_object(App)
        app.command = ctx.command_path.partition(" ")[2]
        app.as_json = app.as_json or ctx.params.get("format_") == "json"
        if self.needs_settings:
            for warning in app.settings.check():
                app.warn(warning)
        if any(param.name == "progress" for param in self.params):
            # Errors and warnings between JSON events must be JSON, too.
            app.as_json = app.as_json or app.settings.get("progress") == "json"
        return super().invoke(ctx)

    def format_epilog(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"  {line}\n")


class Group(click.Group):
    """A group of commands in the order of definition; without a command, it prints its help."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {
            "invoke_without_command": True,
            "no_args_is_help": False,
            "subcommand_metavar": "COMMAND [ARGS]...",
        }
        super().__init__(*args, **kwargs)
        self.params.extend(_common())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the group's own options, including boolean flags with a value."""
        return _parsed(ctx, args, super().parse_args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. On Ctrl-C, click itself would print a line break into the output.

        Raises:
            InterruptedByUserError: the user pressed Ctrl-C.
        """
        try:
            result = super().invoke(ctx)
        except KeyboardInterrupt:
            raise InterruptedByUserError("interrupted") from None
        if ctx.invoked_subcommand is None:
            ctx.ensure_object(App).write(f"{ctx.get_help()}\n")
        return result

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the commands in the order of definition."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return a command. For unknown names, the error suggests an alternative.

        Raises:
            UsageError: the command is unknown.
        """
        found = self.get_command(ctx, args[0])
        if found is not None:
            return args[0], found, args[1:]
        if args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        raise _unknown_command(ctx, args, self.list_commands(ctx))


def _parsed(
    ctx: click.Context, args: list[str], parse: Callable[[click.Context, list[str]], list[str]]
) -> list[str]:
    """Parse arguments after rewriting boolean flags with a value."""
    try:
        return parse(ctx, plain_flags(ctx, args))
    except click.UsageError as error:
        if ctx.resilient_parsing:
            return parse(ctx, args)
        # click does not set `ctx` if an option lacks its value.
        error.ctx = error.ctx or ctx
        raise


def _unknown_command(ctx: click.Context, args: list[str], commands: list[str]) -> UsageError:
    from ghcrctl.cli.missing_docker_commands import advice_for, closest_command

    path = ctx.command_path
    words = [word for word in args if not word.startswith("-")]
    prefix = path.split()[1:]
    name, advice = advice_for([*prefix, *words])
    if advice and name not in prefix:
        return UsageError(f"`{name}` {advice.message}", hint=advice.hint)
    near = closest_command(args[0], commands)
    hint = f"did you mean `{near}`?" if near else f"see `{path} --help`"
    return UsageError(f"unknown command `{' '.join([*prefix, args[0]])}`", hint=hint)


class LazyGroup(Group):
    """A group whose commands are imported when they are called.

    Args:
        lazy: module and one-line description of each command. Listing the commands imports none.
        sections: titles in the list, each by the first command of its section.
        aliases: more commands like ``lazy``, which are not listed.
    """

    def __init__(
        self,
        *args: Any,
        lazy: Mapping[str, tuple[str, str]],
        sections: Mapping[str, str] | None = None,
        aliases: Mapping[str, tuple[str, str]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy
        self.sections = sections or {}
        self.aliases = aliases or {}

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the commands in the order of the table."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 click's signature
        """Import a command."""
        found = self.lazy.get(cmd_name) or self.aliases.get(cmd_name)
        if found is None:
            return None
        module, description = found
        command: click.Command = importlib.import_module(f"ghcrctl.cli.commands.{module}").command
        command.short_help = description
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return commands, without importing them, and options that complete a word."""
        from click.shell_completion import CompletionItem

        named = [
            CompletionItem(name, help=text)
            for name, (_, text) in self.lazy.items()
            if name.startswith(incomplete)
        ]
        return named + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 click's signature
        """Write the list of commands from the table."""
        parts: dict[str, list[tuple[str, str]]] = {}
        title = "Commands"
        for name, (_, text) in self.lazy.items():
            title = self.sections.get(name, title)
            parts.setdefault(title, []).append((name, text))
        widest = max(map(len, self.lazy))
        for title, rows in parts.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), text) for name, text in rows])
