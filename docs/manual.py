"""Generate a man page per command from the text of ``--help``, and ghcrctl(1).

The output is roff (groff_man(7)). Pages have no date, so the same code generates the same pages.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghcrctl import __version__
from ghcrctl.cli.explanations import explain_status
from ghcrctl.cli.main import cli
from ghcrctl.errors import ExitStatus
from ghcrctl.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FOLDER = Path(__file__).parent / "man"
# Left-aligned without hyphenation, because hyphens would change names and options.
_SET = ".ad l\n.nh\n"
_CODE = re.compile(r"`([^`]+)`")
_HELP_NAMES = cli.context_settings["help_option_names"]
_VERBATIM = "\b"
_FILES = (
    (
        "~/.local/share/ghcrctl/store",
        "Local images, as an OCI image layout. Use `--store` or GHCRCTL_STORE to change it.",
    ),
    (
        "~/.config/ghcrctl/config.toml",
        "Settings. Their names are those of the variables above, in lower case and without "
        "GHCRCTL_. Use GHCRCTL_CONFIG_DIR to change the directory.",
    ),
    (
        "~/.config/ghcrctl/auth.json",
        "Credentials if there is no system keyring, and the list of registries in the keyring.",
    ),
    ("~/.cache/ghcrctl", "Cache. Use GHCRCTL_CACHE_DIR to change the directory."),
)
_VARIABLES = (
    (
        "GHCRCTL_TOKEN, GHCRCTL_USERNAME, GHCRCTL_REGISTRY",
        "A credential and its registry, by default ghcr.io.",
    ),
    (
        "GITHUB_TOKEN, GH_TOKEN",
        "The token of a GitHub Actions job or of gh, for the registry of that GitHub host.",
    ),
    ("HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "Proxies, and hosts to reach without a proxy."),
    ("NO_COLOR", "Disable colours, whatever the value."),
    (
        "SOURCE_DATE_EPOCH",
        "Creation time of new images in seconds since 1970, for reproducible images.",
    ),
)


def pages() -> dict[Path, str]:
    """Return every page with its text."""
    return {FOLDER / f"{'-'.join(path)}.1": text for path, text in _all(cli, None, ("ghcrctl",))}


def _all(
    command: click.Command, parent: click.Context | None, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    context = click.Context(
        command, info_name=path[-1], parent=parent, help_option_names=_HELP_NAMES
    )
    yield path, _page(command, context, path)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below:
                yield from _all(below, context, (*path, name))


def _page(command: click.Command, context: click.Context, path: tuple[str, ...]) -> str:
    """Return the page of one command."""
    name = "-".join(path)
    short = (
        "manage container images without Docker"
        if command is cli
        else command.get_short_help_str(200)
    )
    parts = [
        f'.TH {_escaped(name.upper())} 1 "" "ghcrctl {__version__}" "ghcrctl manual"\n{_SET}',
        f".SH NAME\n{_escaped(name)} \\- {_text(short)}\n",
        f".SH SYNOPSIS\n{_synopsis(command, context, path)}",
        f".SH DESCRIPTION\n{_description(command)}",
    ]
    if isinstance(command, click.Group):
        parts.append(f".SH COMMANDS\n{_items(_commands(command, context, path))}")
    parts.append(f".SH OPTIONS\n{_items(_options(command, context))}")
    examples = getattr(command, "examples", ())
    if examples:
        parts.append(f".SH EXAMPLES\n{_verbatim(examples)}")
    parts.append(_ends() if command is cli else "")
    parts.append(f".SH SEE ALSO\n{_see_also(path)}")
    return "".join(parts)


def _ends() -> str:
    """Return the sections that only the page of the program has."""
    statuses = ((str(s.value), explain_status(s).meaning) for s in ExitStatus)
    settings = ((s.env, s.help) for s in SETTINGS)
    return (
        f".SH EXIT STATUS\n{_items((_bold(n), _text(t)) for n, t in statuses)}"
        f".SH ENVIRONMENT\n{_items((_bold(n), _text(t)) for n, t in (*settings, *_VARIABLES))}"
        f".SH FILES\n{_items((_italic(n), _text(t)) for n, t in _FILES)}"
        ".PP\nThese are the paths on Linux. macOS and Windows use other ones.\n"
    )


def _synopsis(command: click.Command, context: click.Context, path: tuple[str, ...]) -> str:
    pieces = " ".join(_italic(piece) for piece in command.collect_usage_pieces(context))
    return f"{_bold(' '.join(path))} {pieces}\n"


def _description(command: click.Command) -> str:
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return ".PP\n".join(_paragraph(text) for text in paragraphs)


def _paragraph(text: str) -> str:
    """Return a paragraph; one after a backspace is preformatted, as in click."""
    if text.startswith(_VERBATIM):
        return _verbatim(text.removeprefix(_VERBATIM).strip("\n").splitlines())
    return f"{_text(text)}\n"


def _verbatim(lines: Iterable[str]) -> str:
    return ".nf\n" + "".join(f"{_escaped(line)}\n" for line in lines) + ".fi\n"


def _commands(
    group: click.Group, context: click.Context, path: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command:
            yield f"{_bold('-'.join((*path, name)))}(1)", _text(command.get_short_help_str(200))


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and isinstance(parameter, click.Option):
            yield ", ".join(map(_option, record[0].split(", "))), _text(record[1])


def _option(written: str) -> str:
    """Return an option in bold, and its value in italics."""
    name, space, value = written.partition(" ")
    return f"{_bold(name)}{space}{_italic(value)}" if value else _bold(name)


def _see_also(path: tuple[str, ...]) -> str:
    named = [path[:end] for end in range(1, len(path))]
    named += [("ghcrctl", "explain"), ("ghcrctl", "completion")]
    names = dict.fromkeys("-".join(parts) for parts in named if parts != path)
    return ",\n".join(f"{_bold(name)}(1)" for name in names) + "\n"


def _items(items: Iterable[tuple[str, str]]) -> str:
    return "".join(f".TP\n{tag}\n{text}\n" for tag, text in items)


def _text(text: str) -> str:
    """Return running text, with text in backticks in bold."""
    flat = " ".join(text.split())
    pieces = _CODE.split(flat)
    made = "".join(_bold(p) if at % 2 else _escaped(p) for at, p in enumerate(pieces))
    # A line that begins with a dot or an apostrophe would be a roff request.
    return made if made[:1] not in {".", "'"} else f"\\&{made}"


def _bold(text: str) -> str:
    return f"\\fB{_escaped(text)}\\fR" if text else ""


def _italic(text: str) -> str:
    return f"\\fI{_escaped(text)}\\fR" if text else ""


def _escaped(text: str) -> str:
    """Escape the characters that roff interprets."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\[ti]")
    plain = plain.replace("^", "\\[ha]").replace("`", "\\[ga]")
    return f"\\&{plain}" if plain[:1] in {".", "'"} else plain
