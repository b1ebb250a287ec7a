"""Makes the manual pages of the same help that ``--help`` shows: one a command, and ghcrctl(1).

What belongs here: from click's commands to roff (groff_man(7)). A page has no date, so that the
same code makes the same pages.
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
# Text to the left, and words whole: names and options are not to be taken apart.
_SET = ".ad l\n.nh\n"
_CODE = re.compile(r"`([^`]+)`")
_HELP_NAMES = cli.context_settings["help_option_names"]
_VERBATIM = "\b"
_FILES = (
    (
        "~/.local/share/ghcrctl/store",
        "The images: an OCI image layout. `--store` or GHCRCTL_STORE choose another.",
    ),
    (
        "~/.config/ghcrctl/config.toml",
        "Settings, by name: those below in lower case without GHCRCTL_. GHCRCTL_CONFIG_DIR "
        "chooses another directory.",
    ),
    (
        "~/.config/ghcrctl/auth.json",
        "Credentials where the system has no keyring, and for which registries it has them.",
    ),
    ("~/.cache/ghcrctl", "What can be got again. GHCRCTL_CACHE_DIR chooses another directory."),
)
_VARIABLES = (
    (
        "GHCRCTL_TOKEN, GHCRCTL_USERNAME, GHCRCTL_REGISTRY",
        "A credential, and the registry that it is for; ghcr.io without one.",
    ),
    (
        "GITHUB_TOKEN, GH_TOKEN",
        "The token of a GitHub Actions job or of gh, for the registry of that GitHub.",
    ),
    ("HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "Proxies, and hosts that are reached without."),
    ("NO_COLOR", "No colour, whatever it is set to."),
    (
        "SOURCE_DATE_EPOCH",
        "Seconds since 1970: the time that new images get, so that they are the same each time.",
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
    """Write the page of one command."""
    name = "-".join(path)
    short = "images without a Docker daemon" if command is cli else command.get_short_help_str(200)
    parts = [
        f'.TH {_escaped(name.upper())} 1 "" "ghcrctl {__version__}" "ghcrctl\'s manual"\n{_SET}',
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
    """Write what only the page of the program itself has."""
    statuses = ((str(s.value), explain_status(s).meaning) for s in ExitStatus)
    settings = ((s.env, s.help) for s in SETTINGS)
    return (
        f".SH EXIT STATUS\n{_items((_bold(n), _text(t)) for n, t in statuses)}"
        f".SH ENVIRONMENT\n{_items((_bold(n), _text(t)) for n, t in (*settings, *_VARIABLES))}"
        f".SH FILES\n{_items((_italic(n), _text(t)) for n, t in _FILES)}"
        ".PP\nThese are the places on Linux; macOS and Windows have their own usual ones.\n"
    )


def _synopsis(command: click.Command, context: click.Context, path: tuple[str, ...]) -> str:
    pieces = " ".join(_italic(piece) for piece in command.collect_usage_pieces(context))
    return f"{_bold(' '.join(path))} {pieces}\n"


def _description(command: click.Command) -> str:
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return ".PP\n".join(_paragraph(text) for text in paragraphs)


def _paragraph(text: str) -> str:
    """Write a paragraph; one after a backspace stands as it is, as in the help."""
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
    """Set an option in bold, and what stands for its value in italics."""
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
    """Write running text; what stands between backticks in bold."""
    flat = " ".join(text.split())
    pieces = _CODE.split(flat)
    made = "".join(_bold(p) if at % 2 else _escaped(p) for at, p in enumerate(pieces))
    # A line must not begin with what would be a request.
    return made if made[:1] not in {".", "'"} else f"\\&{made}"


def _bold(text: str) -> str:
    return f"\\fB{_escaped(text)}\\fR" if text else ""


def _italic(text: str) -> str:
    return f"\\fI{_escaped(text)}\\fR" if text else ""


def _escaped(text: str) -> str:
    """Write text so that roff takes nothing of it for itself."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\[ti]")
    plain = plain.replace("^", "\\[ha]").replace("`", "\\[ga]")
    return f"\\&{plain}" if plain[:1] in {".", "'"} else plain
