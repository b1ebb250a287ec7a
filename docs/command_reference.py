"""Generates the command reference: a section per command, with options that can be linked to.

Sphinx's ``option`` directive gives each option an anchor, such as
``#cmdoption-ghcrctl-pull-all-tags``. Options that many commands share are described once.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import LazyGroup
from ghcrctl.cli.main import cli
from ghcrctl.cli.options import registry_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HEAD = """# Commands

`ghcrctl COMMAND --help` shows the same in the terminal. `-h` is short for `--help`.

"""
_GLOBAL = "Global options"
_GLOBAL_NAMES = {"--debug", "--store", "--no-input", "--help"}
_CONNECTION = "Connection options"
_INTRODUCTIONS = {
    _GLOBAL: "All commands have these options. They can also stand before the command: "
    "`ghcrctl --debug pull NAME`.",
    _CONNECTION: "Commands that connect to a registry have these options. Set them permanently in "
    "`config.toml` or with variables: see [settings](settings.md).",
}
# Text after a backspace is preformatted, as in click.
_VERBATIM = "\b"
_SPECIAL = re.compile(r"(?<!\\)([*<])")


def command_reference() -> str:
    """Return the page."""
    parent = click.Context(cli, info_name="ghcrctl", **cli.context_settings)
    shared = _shared(parent)
    parts = [_HEAD, _overview(cli, parent, ""), "\n## ghcrctl\n\n", _usage(cli, parent)]
    parts += [_paragraphs(cli), *_options(cli, parent, "ghcrctl", _names(shared[_GLOBAL]))]
    for title, options in shared.items():
        parts.append(f"\n## {title}\n\n{_INTRODUCTIONS[title]}\n\n")
        parts += _entries(options, parent, "ghcrctl-common")
    return "".join([*parts, *_sections(cli, parent, shared)])


def _shared(parent: click.Context) -> dict[str, list[click.Parameter]]:
    """Return the options that are described once, by heading."""

    def example() -> None: ...

    registry_options(example)
    connection = list(reversed(getattr(example, "__click_params__", [])))
    version = cli.get_command(parent, "version")
    common = [] if version is None else version.get_params(parent)
    return {
        _GLOBAL: [option for option in common if _names([option]) <= _GLOBAL_NAMES],
        _CONNECTION: connection,
    }


def _sections(
    group: click.Group,
    parent: click.Context,
    shared: dict[str, list[click.Parameter]],
    path: tuple[str, ...] = (),
) -> Iterator[str]:
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        if command is None:
            continue
        context = click.Context(command, info_name=name, parent=parent)
        yield _section(command, context, (*path, name), shared)
        if isinstance(command, click.Group):
            yield from _sections(command, context, shared, (*path, name))


def _section(
    command: click.Command,
    context: click.Context,
    path: tuple[str, ...],
    shared: dict[str, list[click.Parameter]],
) -> str:
    """Return the section of one command."""
    parts = [f"\n##{'#' * (len(path) - 1)} {' '.join(path)}\n\n"]
    parts += [_usage(command, context), _paragraphs(command)]
    if isinstance(command, click.Group):
        parts.append(_overview(command, context, f"{'-'.join(path)}-"))
    own = {option for options in shared.values() for option in _names(options)}
    inherited = [title for title, options in shared.items() if _has_all(command, context, options)]
    hidden = own if _CONNECTION in inherited else _names(shared[_GLOBAL])
    parts += _options(command, context, f"ghcrctl-{'-'.join(path)}", hidden)
    links = " and the ".join(
        f"[{title.lower()}](#{title.lower().replace(' ', '-')})" for title in inherited
    )
    parts.append(f"\nThis command also has the {links}.\n" if links else "")
    examples = getattr(command, "examples", ())
    if examples:
        lines = "\n".join(examples)
        parts.append(f"\n**Examples**\n\n```sh\n{lines}\n```\n")
    return "".join(parts)


def _has_all(
    command: click.Command, context: click.Context, options: Iterable[click.Parameter]
) -> bool:
    return _names(options) <= _names(command.get_params(context))


def _names(options: Iterable[click.Parameter]) -> set[str]:
    """Return the long name of each option."""
    return {max(option.opts, key=len) for option in options}


def _usage(command: click.Command, context: click.Context) -> str:
    pieces = " ".join(command.collect_usage_pieces(context))
    return f"`{context.command_path.strip()} {pieces}`\n\n"


def _paragraphs(command: click.Command) -> str:
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return "".join(f"{_paragraph(text)}\n\n" for text in paragraphs)


def _paragraph(text: str) -> str:
    if text.startswith(_VERBATIM):
        lines = text.removeprefix(_VERBATIM).strip("\n")
        return f"```text\n{inspect.cleandoc(lines)}\n```"
    return _markdown(text)


def _markdown(text: str) -> str:
    """Escape what Markdown would interpret, outside of code."""
    pieces = text.split("`")
    return "`".join(
        piece if at % 2 else _SPECIAL.sub(r"\\\1", piece) for at, piece in enumerate(pieces)
    )


def _overview(group: click.Group, context: click.Context, prefix: str) -> str:
    """Return a list of links to the commands of a group, by section."""
    sections = group.sections if isinstance(group, LazyGroup) else {}
    parts = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if name in sections:
            parts.append(f"\n**{sections[name]}**\n\n")
        if command:
            summary = _summary(group, name, command)
            parts.append(f"- [`{name}`](#{prefix}{name}): {_markdown(summary)}\n")
    return "".join(parts).lstrip("\n")


def _summary(group: click.Group, name: str, command: click.Command) -> str:
    """Return the line that ``--help`` of the group shows."""
    if isinstance(group, LazyGroup):
        return group.lazy[name][1]
    return command.get_short_help_str(200)


def _options(
    command: click.Command, context: click.Context, program: str, hidden: set[str]
) -> Iterator[str]:
    """Yield the options of a command, without those described elsewhere."""
    own = [
        parameter
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and _names([parameter]).isdisjoint(hidden)
    ]
    if own:
        yield "\n**Options**\n\n"
        yield from _entries(own, context, program)


def _entries(
    options: Iterable[click.Parameter], context: click.Context, program: str
) -> Iterator[str]:
    yield f"```{{program}} {program}\n```\n\n"
    for option in options:
        record = option.get_help_record(context)
        if record:
            names = record[0].replace(" / ", ", ")
            yield f"```{{option}} {names}\n{_markdown(record[1])}\n```\n\n"
