"""Only the settings read the environment and the person's directories."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import PACKAGE, modules, name_of, parsed, rule_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READERS = {"environ", "environb", "expanduser", "expandvars", "getenv", "getenvb", "putenv"}
ELSEWHERE = [path for path in modules("ghcrctl") if path.parent != PACKAGE / "settings"]


def readings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and text of each use of the environment through ``os``, ``Path`` or their kin."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in READERS:
            owner = ast.unparse(node.value)
            if node.attr == "expanduser" or owner in {"os", "os.path"}:
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "Path.home":
            yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and node.module in {"os", "os.path"}:
            yield from ((node.lineno, a.name) for a in node.names if a.name in READERS)
        elif isinstance(node, ast.Import | ast.ImportFrom) and "platformdirs" in ast.unparse(node):
            yield node.lineno, "platformdirs"


@rule_for(ELSEWHERE)
def test_a_module_does_not_read_the_environment(path: Path) -> None:
    found = list(readings(parsed(path)))
    assert not found, f"{name_of(path)} reads what only the settings may read: {found}"


@pytest.mark.parametrize(
    "line",
    [
        "os.environ['HOME']",
        "os.getenv('HOME')",
        "from os import environ",
        "os.path.expanduser('~')",
        "Path('~').expanduser()",
        "Path.home()",
        "import platformdirs",
        "from platformdirs import user_data_path",
    ],
)
def test_each_way_to_read_the_environment_is_noticed(line: str) -> None:
    assert list(readings(ast.parse(line)))


@pytest.mark.parametrize("line", ["self.environ['HOME']", "request.environ", "from os import stat"])
def test_what_only_looks_like_it_is_left_alone(line: str) -> None:
    assert not list(readings(ast.parse(line)))
