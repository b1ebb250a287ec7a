"""``ghcrctl help``."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from ghcrctl.cli.app import App
from ghcrctl.cli.command_classes import Command


def _commands(context: click.Context, _: click.Parameter, word: str) -> list[CompletionItem]:
    """Return the commands that complete a word, from the group named by the words before."""
    current: click.Command = context.find_root().command
    for before in context.params.get("words") or ():
        found = current.get_command(context, before) if isinstance(current, click.Group) else None
        if found is None:
            return []
        current = found
    if not isinstance(current, click.Group):
        return []
    names = current.list_commands(context)
    return [CompletionItem(name) for name in names if name.startswith(word)]


@click.command(
    cls=Command,
    examples="""
    ghcrctl help pull
    ghcrctl help packages prune
    """,
)
@click.argument("words", metavar="[COMMAND...]", nargs=-1, shell_complete=_commands)
@click.pass_context
def command(context: click.Context, *, words: tuple[str, ...]) -> None:
    """Show help for a command, like --help."""
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
