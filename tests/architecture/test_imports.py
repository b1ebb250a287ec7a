"""Which folder may import which library; import-linter checks the layers."""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import grimp
import pytest

from tests.architecture.sources import ROOT, top_folders

if TYPE_CHECKING:
    from collections.abc import Iterable

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# The folders that may import a library directly.
HOMES = {
    "backports": {"layers"},
    "cheroot": {"server"},
    "click": {"cli"},
    "filelock": {"credentials", "store"},
    "jeepney": {"credentials"},
    "keyring": {"credentials"},
    "platformdirs": {"settings"},
    "regex": {"oci"},
    "requests": {"registry", "github"},
    "rich": {"cli"},
    "tomli": {"settings"},
    "truststore": {"registry", "github"},
    "urllib3": {"registry", "github"},
    "werkzeug": {"server"},
    "yaml": {"operations"},
    "zlib_ng": {"layers"},
}


@cache
def graph(*, with_types: bool = True) -> grimp.ImportGraph:
    """Return who imports whom, inside functions too, and where wanted for types only."""
    return grimp.build_graph(
        "ghcrctl",
        include_external_packages=True,
        exclude_type_checking_imports=not with_types,
        cache_dir=None,
    )


def folder_of(module: str) -> str:
    """Return the folder of a module of ghcrctl; empty for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def contracts() -> list[dict[str, Any]]:
    """Return import-linter's contracts."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = project["tool"]["importlinter"]["contracts"]
    return found


def externals() -> set[str]:
    """Return the libraries that ghcrctl imports when it runs, besides the standard library."""
    modules = {module for module in graph(with_types=False).modules if "." not in module}
    # Standard library of later versions.
    later = {"compression", "tomllib"}
    return modules - {"ghcrctl", *later} - set(sys.stdlib_module_names)


def test_every_library_has_its_home() -> None:
    assert externals() <= set(HOMES)


def test_every_library_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["serve"]]
    declared = {re.split(r"[^\w-]", line)[0].replace("-", "_") for line in lines}
    # The distribution pyyaml contains the package yaml.
    assert externals() <= declared | {"yaml"}


def test_every_declared_dependency_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[^\w.-]", line)[0] for line in project["dependencies"]}
    modules = {"backports.zstd": "backports", "pyyaml": "yaml", "zlib-ng": "zlib_ng"}
    # urllib3 imports pysocks for SOCKS proxies.
    assert {modules.get(name, name) for name in declared} - {"pysocks"} <= externals()


@pytest.mark.parametrize("library", sorted(HOMES))
def test_a_library_is_imported_only_where_it_is_at_home(library: str) -> None:
    if library not in graph().modules:
        return
    strangers = {
        module
        for module in graph().find_modules_that_directly_import(library)
        if folder_of(module) not in HOMES[library]
    }
    assert not strangers


def test_no_module_imports_itself_over_others() -> None:
    running = graph(with_types=False)
    ours = {module for module in running.modules if module.startswith("ghcrctl")}
    uses = {module: running.find_modules_directly_imported_by(module) & ours for module in ours}
    assert not in_circles(uses)


def test_no_two_rooms_import_each_other() -> None:
    uses: dict[str, set[str]] = {}
    for module in graph().modules:
        if module.startswith("ghcrctl."):
            used = {folder_of(m) for m in graph().find_modules_directly_imported_by(module)}
            uses.setdefault(folder_of(module), set()).update(used - {"", folder_of(module)})
    assert not in_circles(uses)


def test_a_circle_is_noticed() -> None:
    assert in_circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == ["b", "c"]
    assert not in_circles({"a": {"b", "c"}, "b": {"c"}, "c": set()})


def in_circles(uses: dict[str, set[str]]) -> list[str]:
    """Return what is left after taking away, over and over, all that begins or ends nowhere."""
    left = set(uses)
    while free := {
        name
        for name in left
        if not uses[name] & left or not any(name in uses[other] for other in left)
    }:
        left -= free
    return sorted(left)


def test_every_room_has_its_layer() -> None:
    layers = next(contract["layers"] for contract in contracts() if contract["type"] == "layers")
    assert set(top_folders()) <= {folder_of(name) for name in split(layers)}


def test_no_room_escapes_a_contract() -> None:
    for contract in contracts():
        if contract["type"] == "forbidden":
            homes = set.union(*(HOMES[library] for library in contract["forbidden_modules"]))
            named = {folder_of(module) for module in contract["source_modules"]}
            assert set(top_folders()) - homes - {"__main__"} <= named, contract["name"]


def split(layers: Iterable[str]) -> list[str]:
    """Return the modules of import-linter's layers, optional ones without their parentheses."""
    return [name.strip(" ()") for layer in layers for name in layer.replace("|", ":").split(":")]
