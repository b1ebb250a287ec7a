"""What the commands can be told, the Python API can be told.

Each option of a command is an argument of its call, or of one beside it, or only about what is
shown.
"""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import TYPE_CHECKING

import click
import pytest

from ghcrctl import BuildRequest, Client
from ghcrctl.cli.main import cli
from ghcrctl.operations.packages.rules import RULES
from tests.architecture.test_api import CALLS, OTHER_NAMES, WITHOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

# About what is printed, written down or asked: a program does that with the result.
SHOWN = {
    "_all",
    "digest_file",
    "digests",
    "exit_code",
    "format_",
    "full",
    "iidfile",
    "kind",
    "long",
    "metadata_file",
    "no_trunc",
    "opens",
    "password_stdin",
    "quiet",
    "raw",
    "review",
    "show_kept",
    "verbose",
    "yes",
}
# What an argument is called in Python.
RENAMED = {
    "allow_nondistributable_artifacts": {"include_foreign"},
    "folder": {"folder", "output"},
    "foreign_layers": {"skip_foreign"},
    "formats": {"form", "format"},
    "is_pushed": {"push"},
    "fix": {"repair"},
    "names": {"name", "tags"},
    "password": {"secret"},
    "platforms": {"platform"},
    "set_platform": {"platform"},
    "sources": {"source"},
    "wanted": {"form"},
}
RENAMED_OF = {
    "load": {"source": {"archive"}},
    "logout": {"everything": {"logged_in"}},
    "packages apply": {"file": {"plans"}},
    "packages prune": {"owners": {"names"}, "plan_file": {"plans"}},
    "packages restore": {"run": {"journal"}},
    "packages versions": {"state": {"deleted"}},
}
# Calls that have a part of what one command does; their own names count as an option too.
BESIDE = {
    "copy": ["copy_several"],
    "export": ["export_directory"],
    "images": ["image_trees"],
    "inspect": ["platforms"],
    "logout": ["logged_in"],
    "packages prune": ["packages.plan_file", "packages.apply"],
    "packages restore": ["packages.restore_run"],
    "pull": ["pull_several"],
    "push": ["push_several"],
    "rmi": ["rmi_platforms"],
    "sync": ["sync_file"],
}
REASONS = {
    ("build", "builder"): "a setting: Client(settings={'builder': ...})",
    ("images", "tree"): "image_trees",
    ("ls", "human"): "sizes are bytes",
    ("outdated", "everything"): "the result has all",
    ("packages show", "tree"): "the result has the graph",
    ("packages versions", "tree"): "the result has what is above and below",
    ("prune", "force"): "nobody is asked",
}
# Flags of all commands that no client has.
FLAGS_OF_TERMINALS = {
    "human": "how sizes are shown",
    "no_input": "nobody is asked",
    "no_prune": "for docker's sake",
    "progress": "observers watch",
    "timeout": "it ends a program",
}


def options() -> Iterator[tuple[str, str]]:
    """Yield each command that has a call, with each of its arguments and options."""
    for name, command in within(cli, ""):
        if name not in WITHOUT:
            yield from ((name, str(p.name)) for p in command.params if p.expose_value)


def within(group: click.Group, lead: str) -> Iterator[tuple[str, click.Command]]:
    """Yield the commands of a group and of those in it, by their full names."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from within(command, f"{lead}{name} ")
        elif command:
            yield f"{lead}{name}", command


def arguments(command: str) -> set[str]:
    """Return all that can be said in Python of what a command does."""
    names = [OTHER_NAMES.get(command, command).replace(" ", "."), *BESIDE.get(command, ())]
    found = {p for name in names for p in inspect.signature(CALLS[name]).parameters}
    if command == "build":
        found |= {field.name for field in fields(BuildRequest)}
    if "rules" in found:
        found |= {rule.replace("-", "_") for rule in RULES}
    return found | set(names[1:])


@pytest.mark.parametrize(("command", "option"), list(options()))
def test_what_a_command_can_be_told_its_call_can_be_told(command: str, option: str) -> None:
    if option in SHOWN or (command, option) in REASONS:
        return
    renamed = RENAMED_OF.get(command, {}).get(option) or RENAMED.get(option) or set()
    assert ({option} | renamed) & arguments(command), (
        f"`{option}` of `ghcrctl {command}` is not an argument of its call"
    )


def test_every_exception_is_one() -> None:
    known = set(options())
    assert set(REASONS) <= known
    assert {(name, option) for name, more in RENAMED_OF.items() for option in more} <= known
    assert SHOWN | set(RENAMED) <= {option for _, option in known}


def test_settings_that_are_flags_are_arguments_of_a_client() -> None:
    flags = {str(p.name) for _, c in within(cli, "") for p in c.params if not p.expose_value}
    # A copy's are the two of `accesses`.
    flags = {flag for flag in flags if not flag.startswith(("src_", "dest_"))}
    assert flags - FLAGS_OF_TERMINALS.keys() <= set(inspect.signature(Client).parameters)
