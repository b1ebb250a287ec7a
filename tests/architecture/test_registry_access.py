"""Registries are reached through one resolver, and mirrors are never written to."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import modules, name_of, parsed, rule_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Who may make what talks to a registry.
MAKERS = {
    "RegistryClient": {"ghcrctl/operations/common/session.py", "ghcrctl/registry/client.py"},
    "Repository": {"ghcrctl/registry/resolver.py"},
    "MirroredSource": {"ghcrctl/registry/resolver.py"},
    "Resolver": {"ghcrctl/operations/common/session.py"},
}
# Who may go past mirrors, since it writes, or must know what the registry itself has.
WRITERS = {
    "ghcrctl/operations/making/artifact.py",
    "ghcrctl/operations/making/indexes.py",
    "ghcrctl/operations/packages/doctor.py",
    "ghcrctl/operations/packages/package_graph.py",
    "ghcrctl/operations/packages/push_missing.py",
    "ghcrctl/operations/packages/version_restorer.py",
    "ghcrctl/operations/packages/untag.py",
    "ghcrctl/operations/moving/push.py",
    "ghcrctl/operations/moving/endpoints/registry.py",
    "ghcrctl/operations/common/session.py",
    "ghcrctl/operations/common/registry_access.py",
    "ghcrctl/operations/sync/plan.py",
    "ghcrctl/operations/sync/deletions.py",
}
PAST_MIRRORS = {"repository", "write", "access"}


def made(tree: ast.AST) -> Iterator[str]:
    """Yield the names of classes that a module calls, under the name they were imported as."""
    aliases = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield aliases.get(node.func.id, node.func.id)


def past_mirrors(tree: ast.AST) -> Iterator[str]:
    """Yield the calls that reach a registry past its mirrors."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner, name = ast.unparse(node.func.value), node.func.attr
        if name in PAST_MIRRORS and owner.rpartition(".")[2].strip("_") in {"session", "resolver"}:
            yield f"{owner}.{name}"


@rule_for(modules("ghcrctl"))
def test_only_the_resolver_makes_what_talks_to_registries(path: Path) -> None:
    found = {name for name in made(parsed(path)) if name in MAKERS}
    assert not {name for name in found if name_of(path) not in MAKERS[name]}


@rule_for(modules("ghcrctl"))
def test_what_only_reads_goes_through_mirrors(path: Path) -> None:
    found = list(past_mirrors(parsed(path)))
    assert not found or name_of(path) in WRITERS, found


def test_each_listed_module_still_needs_its_place() -> None:
    paths = {name_of(path): parsed(path) for path in modules("ghcrctl")}
    own = {"ghcrctl/operations/common/session.py", "ghcrctl/operations/common/registry_access.py"}
    assert all(list(past_mirrors(paths[name])) for name in WRITERS - own)


@pytest.mark.parametrize("line", ["session.repository(x)", "self._session.resolver.access(x)"])
def test_each_way_past_mirrors_is_noticed(line: str) -> None:
    assert list(past_mirrors(ast.parse(line)))


def test_a_class_under_another_name_is_noticed() -> None:
    line = "from ghcrctl.registry.resolver import Resolver as Built\nBuilt()"
    assert "Resolver" in made(ast.parse(line))
