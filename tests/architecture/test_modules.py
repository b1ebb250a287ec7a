"""What holds of every module: its size, its name, its docstring, its functions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.architecture.sources import PACKAGE, modules, name_of, parsed, rule_for

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
VAGUE_NAMES = {"common", "helper", "helpers", "misc", "util", "utils"}
# Docker's word for the programs that keep credentials, and the lowest layer of the operations.
NOT_VAGUE = {
    "ghcrctl/credentials/helpers.py",
    "ghcrctl/operations/common",
    "tests/unit/operations/common",
}

each_module = rule_for(modules("ghcrctl", "tests", "docs"))
each_own_module = rule_for(modules("ghcrctl"))


@each_module
def test_a_module_stays_short(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_MODULE, f"{name_of(path)} has {lines} lines: split it"


@each_module
def test_a_function_stays_short(path: Path) -> None:
    long = {
        node.name: length
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert not long, f"functions of {name_of(path)} that are too long, with their lines: {long}"


@each_module
def test_a_module_says_in_its_name_what_it_holds(path: Path) -> None:
    assert path.stem.strip("_") not in VAGUE_NAMES or name_of(path) in NOT_VAGUE
    assert path.parent.name not in VAGUE_NAMES or name_of(path.parent) in NOT_VAGUE


@each_own_module
def test_a_module_says_what_belongs_in_it(path: Path) -> None:
    docstring = ast.get_docstring(parsed(path))
    assert docstring, f"{name_of(path)} has no docstring"
    assert docstring.splitlines()[0].endswith(".")


@each_own_module
def test_a_folder_of_modules_is_a_package(path: Path) -> None:
    inner = [path.parent, *path.parent.parents]
    for folder in inner[: inner.index(PACKAGE) + 1]:
        assert (folder / "__init__.py").exists(), f"{name_of(folder)} lacks __init__.py"
