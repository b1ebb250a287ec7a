"""One mechanism decides what tests need of a system, and skips few tests on Windows."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.abilities import ABILITIES, needs_of_code, reason
from tests.architecture.sources import ROOT, modules, name_of, rule_for

if TYPE_CHECKING:
    from pathlib import Path

# What Windows lacks; symbolic links need Developer Mode there, which runners have.
WINDOWS_LACKS = frozenset(ABILITIES) - {"links", "playing others"}
# Percent of the quick tests that may be left out on Windows.
MOST_LEFT_OUT = 15
# Conditions on a system in the place of a mark.
BY_HAND = re.compile(
    r"skipif\(\s*(not )?(os\.name|sys\.platform|hasattr|IS_ROOT|os\.geteuid|Path\(\"/dev/)"
    r"|importorskip\(\"(fcntl|resource|termios|pwd|grp|pty)\""
)
_HELPERS = """
import os
import pytest

def helper():
    return os.fork()

@pytest.fixture(name="made")
def _made(tmp_path):
    os.mkfifo(tmp_path / "pipe")

class Double:
    def act(self):
        import resource

FULL = open("/dev/full")

def test_direct(): os.getuid()
def test_by_helper(): helper()
def test_by_fixture(made): pass
def test_by_class(): Double().act()
def test_by_constant(): FULL.write("x")
def test_plain(): pass
"""


@rule_for(modules("tests"))
def test_systems_are_told_apart_by_the_mark(path: Path) -> None:
    if path.name != "test_abilities.py":
        assert not BY_HAND.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("test_direct", {"owners"}),
        ("test_by_helper", {"fork"}),
        ("test_by_fixture", {"pipes"}),
        ("test_by_class", {"limits"}),
        ("test_by_constant", {"/dev/full"}),
        ("test_plain", set()),
    ],
)
def test_needs_are_read_from_the_code(tmp_path: Path, name: str, needs: set[str]) -> None:
    path = tmp_path / "test_some.py"
    path.write_text(_HELPERS)
    assert needs_of_code(path, name) == needs


def test_a_reason_names_all_that_is_missing() -> None:
    assert reason({"root", "fork"}) == "needs processes that fork, the rights of root"


def test_most_quick_tests_run_on_windows() -> None:
    total, left_out = 0, []
    for folder in ("unit", "properties"):
        for path in sorted((ROOT / "tests" / folder).rglob("test_*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in tree.body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    total += 1
                    if needs_of_code(path, node.name) & WINDOWS_LACKS:
                        left_out.append(f"{name_of(path)}::{node.name}")
    assert total > 1000
    assert len(left_out) * 100 < MOST_LEFT_OUT * total, left_out
