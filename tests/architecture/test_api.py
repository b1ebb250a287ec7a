"""The Python API is equal to the command line, light, typed and documented."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest

import ghcrctl
from ghcrctl.cli.main import COMMANDS, cli
from tests.architecture.sources import PACKAGE, ROOT, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.api.arguments import Caller

PAGE = (ROOT / "docs" / "topics" / "python.md").read_text(encoding="utf-8")
# Python has the word for itself.
OTHER_NAMES = {"import": "import_image"}
WITHOUT = {
    "completion": "it prints what shells read",
    "explain": "it reads the documentation, as Python's programmers do",
    "serve": "a program that runs until it is ended",
    "info": "Client.images, Client.settings and ghcrctl.__version__",
    "version": "ghcrctl.__version__",
}
GROUPS = ("artifact", "lock", "manifest", "packages")
# Beside `import ghcrctl`, nothing of these.
SLOW = {"click", "keyring", "requests", "rich", "urllib3", "yaml"}


def commands() -> Iterator[str]:
    """Yield all commands by their full names: ``pull``, ``packages list``."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        inner = command.list_commands(context) if isinstance(command, click.Group) else []
        yield from (f"{name} {one}" for one in inner) if inner else (name,)


def calls() -> dict[str, Callable[..., Any]]:
    """Return all calls of the API by their names."""
    client = ghcrctl.Client()
    owners: dict[str, Caller] = {"": client, **{f"{g}.": getattr(client, g) for g in GROUPS}}
    return {
        f"{lead}{name}": value
        for lead, owner in owners.items()
        for name, value in inspect.getmembers(owner, inspect.ismethod)
        if not name.startswith("_")
    }


CALLS = calls()
each_call = pytest.mark.parametrize("name", list(CALLS))


@pytest.mark.parametrize("command", list(commands()))
def test_a_command_has_its_call(command: str) -> None:
    if command in WITHOUT:
        assert command not in CALLS
        return
    wanted = OTHER_NAMES.get(command, command).replace(" ", ".")
    assert wanted in CALLS, f"`ghcrctl {command}` has no call ghcrctl.{wanted}"


@each_call
def test_a_call_is_a_function_of_the_package(name: str) -> None:
    first, _, rest = name.partition(".")
    found = getattr(ghcrctl, first)
    assert callable(getattr(found, rest) if rest else found)


@each_call
def test_a_call_is_annotated(name: str) -> None:
    signature = inspect.signature(CALLS[name])
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty, parameter.name


@each_call
def test_a_call_says_what_its_arguments_are(name: str) -> None:
    text = inspect.getdoc(CALLS[name]) or ""
    assert text.splitlines()[0].endswith(".")
    if "arguments are those of" in text:
        return
    told = re.findall(r"^ {4}\*{0,2}(\w+): ", text, re.MULTILINE)
    parameters = list(inspect.signature(CALLS[name]).parameters)
    assert [one for one in told if one in parameters] == parameters


@each_call
def test_a_call_stands_in_the_documentation(name: str) -> None:
    assert f"`{name}(" in PAGE


def test_what_editors_see_is_what_there_is() -> None:
    body = parsed(PACKAGE / "__init__.py").body
    block = next(node for node in body if isinstance(node, ast.If))
    seen: set[str] = set()
    for node in block.body:
        if isinstance(node, ast.ImportFrom):
            seen.update(alias.asname or alias.name for alias in node.names)
            assert all(hasattr(ghcrctl, alias.name) for alias in node.names)
        elif isinstance(node, ast.Assign):
            seen.update(ast.unparse(target) for target in node.targets)
    assert sorted(seen - {"_client"}) == sorted(ghcrctl.__all__)
    assert set(ghcrctl.__all__) <= set(dir(ghcrctl))


@pytest.mark.parametrize("name", ghcrctl.__all__)
def test_every_name_is_there_when_it_is_asked_for(name: str) -> None:
    assert getattr(ghcrctl, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'pul'"):
        _ = ghcrctl.pul  # type: ignore[attr-defined]


def test_nothing_is_imported_before_it_is_used() -> None:
    assert modules_after("import ghcrctl") == {"ghcrctl"}
    assert not modules_after("from ghcrctl import Client, Reference; Client()") & SLOW
    assert not modules_after("import ghcrctl; ghcrctl.images()") & SLOW


def modules_after(code: str) -> set[str]:
    """Return our modules, and the slow ones, that a program has imported at its end."""
    told = f"{code}\nimport sys; print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, cwd=ROOT
    )
    names = set(ended.stdout.split())
    return {name for name in names if name.partition(".")[0] == "ghcrctl" or name in SLOW}
