"""The project's own files, and how architecture tests apply a rule to each of them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ghcrctl"
_TEXT_SUFFIXES = {".cfg", ".json", ".md", ".py", ".sh", ".svg", ".toml", ".txt"}


def name_of(path: Path) -> str:
    """Return a file's path as messages and test IDs show it."""
    return path.relative_to(ROOT).as_posix()


def modules(*folders: str) -> list[Path]:
    """Return the Python files under these top-level folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def texts() -> list[Path]:
    """Return every text file that people read: code, tests, documentation and tooling."""
    trees = [path for folder in ("ghcrctl", "tests", "docs") for path in (ROOT / folder).rglob("*")]
    written = [path for path in trees if "_build" not in path.parts]
    found = [path for path in written if path.suffix in _TEXT_SUFFIXES and path.is_file()]
    single = [ROOT / name for name in ("Makefile", "README.md", "pyproject.toml", ".ci/run")]
    return sorted(found + [path for path in single if path.exists()])


@cache
def parsed(path: Path) -> ast.Module:
    """Return a module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def top_folders() -> list[str]:
    """Return the top-level modules and packages of ghcrctl."""
    packages = [path.parent.name for path in PACKAGE.glob("*/__init__.py")]
    plain = [path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"]
    return sorted(packages + plain)


def rule_for(paths: Sequence[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """Turn a rule about one file into one test of many files.

    A test for each file and rule would be half of all tests. The failure lists every file that
    breaks the rule.
    """

    def decorate(rule: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            assert paths
            broken = [
                f"{name_of(path)}: {error}" for path in paths if (error := _broken(rule, path))
            ]
            assert not broken, "\n".join(broken)

        test.__doc__ = rule.__doc__
        return test

    return decorate


def _broken(rule: Callable[[Path], None], path: Path) -> str:
    """Return how a file breaks a rule; empty if it does not."""
    try:
        rule(path)
    except AssertionError as error:
        return str(error) or "breaks the rule"
    return ""
