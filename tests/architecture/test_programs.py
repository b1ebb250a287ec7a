"""Programs are found and started in one place, which never uses the current directory."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import PACKAGE, modules, parsed, rule_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOME = PACKAGE / "programs"
# Modules that start programs, or search for them.
MODULES = {"asyncio.subprocess", "cgi", "commands", "multiprocessing", "pty", "subprocess"}
MODULES |= {"webbrowser", "pexpect", "sh", "distutils.spawn", "ctypes.util"}
# Functions that do.
FUNCTIONS = {
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell"},
    "click": {"edit", "echo_via_pager", "launch"},
    "os": {"popen", "startfile", "system"},
    "pydoc": {"pager", "pipepager"},
    "shutil": {"which"},
}

others = [path for path in modules("ghcrctl") if HOME not in path.parents]


@rule_for(others)
def test_a_module_neither_starts_nor_searches_for_programs(path: Path) -> None:
    assert not list(starts(parsed(path)))


@pytest.mark.parametrize(
    "text",
    [
        "import subprocess",
        "import subprocess as s",
        "from subprocess import Popen",
        "def f():\n    import webbrowser",
        "import shutil\nshutil.which('gh')",
        "import shutil as s\ns.which('gh')",
        "from shutil import which",
        "from shutil import copy, which as w",
        "import os\nos.execvp('gh', [])",
        "import os\nos.posix_spawnp('gh', [], {})",
        "from os import system",
        "import click\nclick.edit()",
    ],
)
def test_a_start_is_noticed(text: str) -> None:
    assert list(starts(ast.parse(text)))


def test_what_starts_nothing_is_left_alone() -> None:
    text = (
        "import os, shutil\nfrom shutil import rmtree\nshutil.copy('a', 'b')\nos.environ\nx.which()"
    )
    assert not list(starts(ast.parse(text)))


def starts(tree: ast.Module) -> Iterator[str]:
    """Yield each import or attribute that starts a program or searches for one."""
    named: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named.update((each.asname or each.name, each.name) for each in node.names)
            yield from (each.name for each in node.names if each.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module in MODULES:
                yield node.module
            yield from (e.name for e in node.names if is_start(node.module, e.name))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = named.get(node.value.id, "")
            if is_start(owner, node.attr):
                yield f"{owner}.{node.attr}"


def is_start(module: str, name: str) -> bool:
    """Return whether a function starts a program or searches for one."""
    if f"{module}.{name}" in MODULES:
        return True
    if module == "os" and name.startswith(("exec", "spawn", "posix_spawn")):
        return True
    return name in FUNCTIONS.get(module, ())
