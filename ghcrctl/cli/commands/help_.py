"""``ghcrctl help``."""

from __future__ import annotations

import click

from ghcrctl.cli.app import App
from ghcrctl.cli.options import Command


@click.command(
    cls=Command,
    short_help="Show help for a command",
    examples="""
    ghcrctl help pull
    ghcrctl help packages prune
    """,
)
@click.argument("words", metavar="[COMMAND...]", nargs=-1)
@click.pass_context
def command(context: click.Context, *, words: tuple[str, ...]) -> None:
    """Show help for a command, as its --help does."""
    root = context.find_root()
    current, left = click.Context(root.command, info_name=root.info_name, obj=root.obj), list(words)
    while left and isinstance(current.command, click.Group):
        name, found, left = current.command.resolve_command(current, left)
        if found is None:
            break
        current = click.Context(found, info_name=name, parent=current)
    if left:
        raise click.UsageError(f"unknown command `{left[0]}`", current)
    context.ensure_object(App).write(f"{current.get_help()}\n")
