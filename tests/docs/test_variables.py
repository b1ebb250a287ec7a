"""The page of variables and files has every variable that the code reads."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
from platformdirs.macos import MacOS

from ghcrctl.settings import Settings
from tests.architecture.sources import ROOT, modules, parsed

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs" / "reference" / "variables-and-files.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", PAGE))
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{2,}")
# Keys of a WSGI request, in a mapping that is also called `environ`.
_WSGI = re.compile(r"(?:HTTP|SERVER|REQUEST|CONTENT|PATH|QUERY|SCRIPT|REMOTE)_[A-Z_]+")


def read_by(tree: ast.AST) -> set[str]:
    """Return the literal names that code looks up in a mapping called ``environ`` or ``env``."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            owner, key = node.func.value, node.args[0]
        elif isinstance(node, ast.Subscript):
            owner, key = node.value, node.slice
        else:
            continue
        is_environ = ast.unparse(owner).rpartition(".")[2] in {"environ", "env", "_environ"}
        if is_environ and isinstance(key, ast.Constant) and isinstance(key.value, str):
            found.add(key.value)
    return {name for name in found if _VARIABLE.fullmatch(name) and not _WSGI.fullmatch(name)}


def test_every_variable_that_is_read_is_on_the_page() -> None:
    read = set().union(*(read_by(parsed(path)) for path in modules("ghcrctl")))
    assert {"GITHUB_OUTPUT", "DOCKER_CONFIG"} <= read
    assert not read - NAMED


@pytest.mark.parametrize(
    "line", ["environ.get('A_B')", "self.environ['A_B']", "x = env.get('A_B', '')"]
)
def test_each_way_to_read_a_variable_is_noticed(line: str) -> None:
    assert read_by(ast.parse(line)) == {"A_B"}


@pytest.fixture
def _no_base_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.delenv(f"XDG_{name}_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.usefixtures("_no_base_directories")
def test_directories_are_those_of_the_settings(tmp_path: Path) -> None:
    settings = Settings({"HOME": str(tmp_path)})
    own = (settings.store_dir, settings.config_dir, settings.journal_dir, settings.cache_dir)
    for path in own:
        assert f"| `~/{path.relative_to(tmp_path).as_posix()}` |" in PAGE


@pytest.mark.usefixtures("_no_base_directories")
def test_directories_on_macos_are_the_usual_ones() -> None:
    system = MacOS("ghcrctl", appauthor=False)
    named = (system.user_config_dir, f"{system.user_data_dir}/store", system.user_cache_dir)
    for path in named:
        assert f"| `~/Library{path.partition('/Library')[2]}` |" in PAGE
