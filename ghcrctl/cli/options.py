"""Options that several commands share, and the classes of commands and groups.

What belongs here: option groups, examples in help, suggestions for what was mistyped, lazy loading.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghcrctl.cli.app import App
from ghcrctl.cli.boolean_flags import is_switched_off, plain_flags
from ghcrctl.cli.path_types import PATH
from ghcrctl.errors import InterruptedByUserError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from click.shell_completion import CompletionItem

    Function = TypeVar("Function", bound=Callable[..., Any])

pass_app = click.make_pass_decorator(App, ensure=True)


def _set_flag(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """Remember a setting given on the command line, before or after the command's name."""
    name = str(param.name)
    if value not in (None, False):
        ctx.ensure_object(App).flags[name] = value
    elif is_switched_off(ctx, name):
        ctx.ensure_object(App).flags[name] = False


def _setting(*names: str, **attributes: Any) -> click.Option:
    return click.Option(names, expose_value=False, callback=_set_flag, **attributes)


def _common() -> list[click.Option]:
    return [
        _setting("-D", "--debug", is_flag=True, help="Show requests and tracebacks."),
        _setting("--store", metavar="DIR", help="Directory of the image store."),
        _setting("--no-input", is_flag=True, help="Never ask; what would ask fails instead."),
    ]


class Command(click.Command):
    """A command that has the common options, and examples in its help.

    Args:
        examples: command lines, one a line, shown at the end of the help.
        needs_settings: whether the command fails where a setting is invalid.
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
        """Run the command; tell the program what is run, and how its errors are wanted."""
        app = ctx.ensure_object(App)
        app.command = ctx.command_path.partition(" ")[2]
        app.as_json = app.as_json or ctx.params.get("format_") == "json"
        if self.needs_settings:
            for warning in app.settings.check():
                app.warn(warning)
        if any(param.name == "progress" for param in self.params):
            # What is written beside events must be JSON, too.
            app.as_json = app.as_json or app.settings.get("progress") == "json"
        return super().invoke(ctx)

    def format_epilog(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"  {line}\n")


class Group(click.Group):
    """A group of commands, in the order of its module; without a command it prints its help."""

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
        """Run a command; on Ctrl-C, click would print a line break into the output.

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
        """Return the commands in the order that they were written."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return a command; for other names the error names an alternative.

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
        # click does not set it if an option lacks its value.
        error.ctx = error.ctx or ctx
        raise


def _unknown_command(ctx: click.Context, args: list[str], commands: list[str]) -> UsageError:
    from ghcrctl.cli.docker_commands import advice_on, intended

    path = ctx.command_path
    words = [word for word in args if not word.startswith("-")]
    prefix = path.split()[1:]
    name, advice = advice_on([*prefix, *words])
    if advice and name not in prefix:
        return UsageError(f"`{name}` {advice.message}", hint=advice.hint)
    near = intended(args[0], commands)
    hint = f"did you mean `{near}`?" if near else f"see `{path} --help`"
    return UsageError(f"unknown command `{' '.join([*prefix, args[0]])}`", hint=hint)


class LazyGroup(Group):
    """A group whose commands are imported when they are called.

    Args:
        lazy: per command its module and what it does in one line, so that the list of commands
            imports none of them.
        sections: titles within that list, each by the command that it stands before.
        aliases: further commands that are not listed, likewise.
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
        command: click.Command = importlib.import_module(f"ghcrctl.cli.commands.{found[0]}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands of the table without importing them, or the options."""
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


def registry_options(function: Function) -> Function:
    """Add the options of commands that talk to registries."""
    for option in reversed(
        (
            _setting(
                "--insecure",
                is_flag=True,
                help="Accept any certificate of the registry, and plain HTTP.",
            ),
            _setting(
                "--ca-file", metavar="FILE", help="PEM certificates to trust besides the system's."
            ),
            _setting("--jobs", metavar="N", help="How many layers move at once."),
            _setting("--retries", metavar="N", help="How often a failed request is tried again."),
            _setting(
                "--timeout", metavar="SECONDS", help="Give up when the command has taken so long."
            ),
            _setting(
                "--connect-timeout",
                metavar="SECONDS",
                help="Give up connecting to a host after this long.",
            ),
            _setting(
                "--stall-timeout",
                metavar="SECONDS",
                help="Drop a connection after this long without data.",
            ),
            _progress(),
            _setting("--client-cert", metavar="FILE", help="PEM client certificate."),
            _setting("--client-key", metavar="FILE", help="PEM key of the client certificate."),
        )
    ):
        _add_param(function, option)
    return function


def _progress() -> click.Option:
    return _setting(
        "--progress",
        metavar="auto|bar|plain|json|none",
        help="How progress is shown on standard error.",
    )


def progress_option(function: Function) -> Function:
    """Add ``--progress`` to a command that talks to no registry; the others have it anyway."""
    _add_param(function, _progress())
    return function


def format_option(function: Function) -> Function:
    """Add ``--format`` of a command that tells of one thing, or of several that were named."""
    return click.option(
        "--format",
        "format_",
        metavar="FORMAT",
        help="json, or a Go template, instead of lines for people.",
    )(function)


def short_format_option(function: Function) -> Function:
    """Add ``-f`` and ``--format``, for commands where docker has both."""
    return click.option(
        "-f", "--format", "format_", metavar="FORMAT", help="Output format: json or a Go template."
    )(function)


def format_option_beside(plain: str) -> Callable[[Function], Function]:
    """Make ``--format`` of a command that has a word for lines for people, too.

    Args:
        plain: the word; it is the default, and the command gets none for it.
    """
    return click.option(
        "--format",
        "format_",
        metavar="FORMAT",
        callback=lambda _, __, value: None if value == plain else value,
        help=f"{plain}, which is the default, json, or a Go template.",
    )


def digest_file_option(function: Function) -> Function:
    """Add ``--digest-file``."""
    return click.option(
        "--digest-file",
        metavar="FILE",
        type=PATH,
        help="Write the digest to a file, each on a line where there are several.",
    )(function)


def force_option(function: Function) -> Function:
    """Add ``--force`` to a command that writes a registry's tags."""
    return click.option("--force", is_flag=True, help="Replace tags even if they lose platforms.")(
        function
    )


def _add_param(function: Any, option: click.Option) -> None:
    if not hasattr(function, "__click_params__"):
        function.__click_params__ = []
    function.__click_params__.append(option)


def human_option(function: Function) -> Function:
    """Add ``--human`` and ``--exact``, which docker calls ``--no-human``."""
    option = click.Option(
        ("-H", "--human/--no-human", " /--exact"),
        default=None,
        expose_value=False,
        callback=_set_choice,
        help="Sizes and times for people, or exact: bytes and RFC 3339.",
    )
    _add_param(function, option)
    return function


def _set_choice(ctx: click.Context, param: click.Parameter, value: bool | None) -> None:  # noqa: FBT001 click's signature
    """Remember a setting given on the command line that may be switched off there."""
    if value is not None:
        ctx.ensure_object(App).flags[str(param.name)] = value


def platform_option(function: Function) -> Function:
    """Add ``--platform`` for one platform."""
    return click.option(
        "--platform",
        metavar="OS/ARCH[/VARIANT]",
        help="Platform of a multi-platform image; this machine's by default.",
    )(function)
