"""Only one package syncs, renames and deletes files, so that its rules hold everywhere."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import PACKAGE, modules, parsed, rule_for

if TYPE_CHECKING:
    from pathlib import Path

# Functions of modules, and methods of paths that no other type has with these numbers of arguments.
FUNCTIONS = {
    "os": {
        "fsync",
        "fdatasync",
        "rename",
        "renames",
        "replace",
        "remove",
        "unlink",
        "rmdir",
        "removedirs",
    },
    "shutil": {"move", "rmtree"},
}
METHODS = {"rename": {1}, "replace": {1}, "unlink": {0, 1}, "rmdir": {0}}
STRANGERS = [path for path in modules("ghcrctl") if path.parent != PACKAGE / "disk"]


def disk_calls(tree: ast.Module) -> list[str]:
    """Return the calls that sync, rename or delete something, with their lines."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    used: list[ast.Call | ast.ImportFrom] = [
        node for node in calls if isinstance(node.func, ast.Attribute) and _is_of_disk(node)
    ]
    imported = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and FUNCTIONS.get(node.module or "", set()) & {name.name for name in node.names}
    ]
    return [f"line {node.lineno}: {ast.unparse(node)}" for node in (*used, *imported)]


def _is_of_disk(call: ast.Call) -> bool:
    assert isinstance(call.func, ast.Attribute)
    owner, name = call.func.value, call.func.attr
    if isinstance(owner, ast.Name) and owner.id in FUNCTIONS:
        return name in FUNCTIONS[owner.id]
    if {word.arg for word in call.keywords} - {"missing_ok"}:
        # A method of something else, such as `datetime.replace`.
        return False
    return len(call.args) + len(call.keywords) in METHODS.get(name, ())


@rule_for(STRANGERS)
def test_a_module_leaves_the_disk_to_the_package_for_it(path: Path) -> None:
    found = disk_calls(parsed(path))
    assert not found, f"use ghcrctl.disk instead: {found}"


@pytest.mark.parametrize(
    "line",
    [
        "os.fsync(1)",
        "os.replace(a, b)",
        "aside.replace(path)",
        "path.rename(other)",
        "path.unlink(missing_ok=True)",
        "self._path.unlink()",
        "folder.rmdir()",
        "shutil.rmtree(folder, ignore_errors=True)",
        "from os import fsync",
    ],
)
def test_a_call_is_found(line: str) -> None:
    assert disk_calls(ast.parse(line))


@pytest.mark.parametrize(
    "line", ["text.replace('a', 'b')", "moment.replace(tzinfo=zone)", "os.open(path, flags)"]
)
def test_other_calls_are_not(line: str) -> None:
    assert not disk_calls(ast.parse(line))
