"""Options shared by multiple commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghcrctl.cli.app import App
from ghcrctl.cli.boolean_flags import is_switched_off
from ghcrctl.cli.path_types import PATH

if TYPE_CHECKING:
    from collections.abc import Callable

    Function = TypeVar("Function", bound=Callable[..., Any])


class Option(click.Option):
    """An option that shows the text of ``show_default`` as it is, without parentheses."""

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Return the extra items of the help, such as the default."""
        extra = super().get_help_extra(ctx)
        if isinstance(self.show_default, str):
            extra["default"] = self.show_default
        return extra


pass_app = click.make_pass_decorator(App, ensure=True)

_FORMAT_HELP = "Output format: json or a Go template."


def _set_flag(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """Store a setting from the command line, given before or after the command name."""
    name = str(param.name)
    if value not in (None, False):
        ctx.ensure_object(App).flags[name] = value
    elif is_switched_off(ctx, name):
        ctx.ensure_object(App).flags[name] = False


def setting_option(*names: str, **attributes: Any) -> click.Option:
    """Return an option that sets a setting and is not passed to the command."""
    return Option(names, expose_value=False, callback=_set_flag, **attributes)


def registry_options(function: Function) -> Function:
    """Add the options of commands that connect to registries."""
    for option in reversed(
        (
            setting_option(
                "--insecure",
                is_flag=True,
                help="Allow invalid certificates and plain HTTP.",
            ),
            setting_option(
                "--ca-file",
                metavar="FILE",
                help="Also trust the CA certificates in this PEM file.",
            ),
            setting_option(
                "--jobs",
                metavar="N",
                show_default="12",
                help="Limit the number of concurrent layer transfers.",
            ),
            setting_option(
                "--retries",
                metavar="N",
                show_default="4",
                help="Retry failed requests this many times.",
            ),
            setting_option(
                "--timeout",
                metavar="SECONDS",
                help="Abort the command after this time.",
            ),
            setting_option(
                "--connect-timeout",
                metavar="SECONDS",
                show_default="15",
                help="Give up connecting to a host after this time.",
            ),
            setting_option(
                "--stall-timeout",
                metavar="SECONDS",
                show_default="60",
                help="Drop a connection after this time without data.",
            ),
            _progress(),
            setting_option(
                "--client-cert", metavar="FILE", help="Use this PEM client certificate."
            ),
            setting_option(
                "--client-key",
                metavar="FILE",
                help="Use this PEM key for the client certificate.",
            ),
        )
    ):
        _add_param(function, option)
    return function


def _progress() -> click.Option:
    return setting_option(
        "--progress",
        metavar="auto|bar|plain|json|none",
        show_default="auto",
        help="Set the type of progress output on stderr.",
    )


def progress_option(function: Function) -> Function:
    """Add ``--progress`` to a command without `registry_options`, which include it."""
    _add_param(function, _progress())
    return function


def format_option(function: Function) -> Function:
    """Add ``--format`` to a command that prints lines of text."""
    return click.option("--format", "format_", metavar="FORMAT", help=_FORMAT_HELP)(function)


def list_format_option(function: Function) -> Function:
    """Add ``--format`` to a command that prints a table."""
    return click.option(
        "--format",
        "format_",
        cls=Option,
        metavar="FORMAT",
        show_default="table",
        help="Output format: table, json or a Go template.",
    )(function)


def short_format_option(function: Function) -> Function:
    """Add ``-f`` and ``--format``, for commands where docker has both."""
    return click.option("-f", "--format", "format_", metavar="FORMAT", help=_FORMAT_HELP)(function)


def format_option_beside(plain: str) -> Callable[[Function], Function]:
    """Return a decorator that adds ``--format`` with a named default.

    Args:
        plain: the name of the default format, which the command gets as ``None``.
    """
    return click.option(
        "--format",
        "format_",
        cls=Option,
        metavar="FORMAT",
        callback=lambda _, __, value: None if value == plain else value,
        show_default=plain,
        help=f"Output format: {plain}, json or a Go template.",
    )


def digest_file_option(function: Function) -> Function:
    """Add ``--digest-file``."""
    return click.option(
        "--digest-file",
        metavar="FILE",
        type=PATH,
        help="Write the digests to this file, one per line.",
    )(function)


def force_option(function: Function) -> Function:
    """Add ``--force`` to a command that writes tags at a registry."""
    return click.option("--force", is_flag=True, help="Replace tags even if they lose platforms.")(
        function
    )


def quiet_option(printed: str) -> Callable[[Function], Function]:
    """Return a decorator that adds ``--quiet``.

    Args:
        printed: what the command still prints.
    """
    return click.option("-q", "--quiet", is_flag=True, help=f"Only print {printed}.")


def output_options(printed: str) -> Callable[[Function], Function]:
    """Return a decorator that adds ``--quiet``, ``--digest-file`` and ``--format``.

    Args:
        printed: what the command still prints with ``--quiet``.
    """
    quiet = quiet_option(printed)
    return lambda function: quiet(digest_file_option(format_option(function)))


def platforms_option(help: str) -> Callable[[Function], Function]:  # noqa: A002 click's name
    """Return a decorator that adds ``--platform`` for any number of platforms."""
    return click.option(
        "--platform", "platforms", metavar="OS/ARCH[/VARIANT]", multiple=True, help=help
    )


def all_platforms_options(verb: str) -> Callable[[Function], Function]:
    """Return a decorator that adds ``--platform`` and ``--all-platforms``.

    Args:
        verb: what the command does with the images.
    """
    name = verb.capitalize()
    some = platforms_option(f"{name} only this platform (repeatable).")
    every = click.option("--all-platforms", is_flag=True, help=f"{name} all platforms.")
    return lambda function: some(every(function))


def dry_run_option(help: str, *names: str) -> Callable[[Function], Function]:  # noqa: A002 click's name
    """Return a decorator that adds ``--dry-run``, with other names if given."""
    return click.option(*names, "--dry-run", is_flag=True, help=help)


def _add_param(function: Any, option: click.Option) -> None:
    if not hasattr(function, "__click_params__"):
        function.__click_params__ = []
    function.__click_params__.append(option)


def human_option(function: Function) -> Function:
    """Add ``--human`` and its opposite ``--exact``, which docker calls ``--no-human``."""
    option = Option(
        ("-H", "--human/--no-human", " /--exact"),
        default=None,
        expose_value=False,
        callback=_set_choice,
        show_default="human",
        help="Print human-readable or exact sizes and times.",
    )
    _add_param(function, option)
    return function


def _set_choice(ctx: click.Context, param: click.Parameter, value: bool | None) -> None:  # noqa: FBT001 click's signature
    """Store a setting that the command line may switch on or off."""
    if value is not None:
        ctx.ensure_object(App).flags[str(param.name)] = value


def platform_option(function: Function) -> Function:
    """Add ``--platform`` for one platform."""
    return click.option(
        "--platform",
        cls=Option,
        metavar="OS/ARCH[/VARIANT]",
        show_default="this machine's",
        help="Select this platform of a multi-platform image.",
    )(function)
