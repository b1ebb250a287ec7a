"""Results of containers/image for its own test files, compared with ours.

The table is not part of the project; without it, these tests are skipped.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import GhcrctlError
from ghcrctl.oci.reference import Reference
from ghcrctl.registry.registries_conf import merged, read_rules
from ghcrctl.registry.registry_rules import Location, Routes, Rule, rewrite
from ghcrctl.settings import read_toml

if TYPE_CHECKING:
    from collections.abc import Callable

_FOLDERS = (parent / "shared/data/peers" for parent in Path(__file__).parents)
PEERS = next((folder for folder in _FOLDERS if folder.is_dir()), None)
FILES = (PEERS or Path()) / "fixtures" / "sysregistriesv2"
DIGEST = "sha256:" + "a" * 64


def rows() -> list[tuple[str, str, str]]:
    """Return table, case and result of each line."""
    if PEERS is None:
        return []
    lines = (PEERS / "registries-conf.tsv").read_text().splitlines()
    cells = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(table, case, answer) for table, case, answer, *_ in cells]


def read(name: str, *, drop_in: bool = False) -> list[Rule]:
    path = FILES / name
    return read_rules(read_toml(path.read_bytes(), path), str(path), drop_in=drop_in)


def matches(case: str) -> str:
    """Evaluate ``NAME ~ PREFIX``."""
    text, _, prefix = case.partition(" ~ ")
    return str(Rule(prefix, Location(""), any_port=True).match(text) > 0)


def rewrites(case: str) -> str:
    """Evaluate ``NAME prefix=PREFIX location=LOCATION``."""
    text, prefix, location = re.split(r" (?:prefix|location)=", case)
    rule = Rule(prefix, Location(location), any_port=True)
    return str(rewrite(rule, rule.origin, Reference.parse(text)).reference)


def finds(case: str) -> str:
    """Evaluate a name against the main file and its drop-ins."""
    names = sorted(path.name for path in (FILES / "registries.conf.d").glob("*.conf"))
    drop_ins = [read(f"registries.conf.d/{name}", drop_in=True) for name in names]
    routes = Routes(registries=merged([read("find-registry.conf"), *drop_ins]))
    return str(routes.find(Reference.parse(case)).origin.reference)


def sources(case: str) -> str:
    """Evaluate ``NAME by tag`` or ``NAME by digest``: all sources in order."""
    name, _, kind = case.partition(" by ")
    text = f"{name}@{DIGEST}" if kind == "digest" else f"{name}:latest"
    route = Routes(registries=read("pull-sources-from-reference.conf")).find(Reference.parse(text))
    steps = (*route.mirrors, route.origin)
    return str([f"{s.reference.name}{'(insecure)' if s.insecure else ''}" for s in steps])


def reads(case: str) -> str:
    """Evaluate whether a file is accepted."""
    try:
        read(f"{case}.conf")
    except GhcrctlError:
        return "refused"
    return "accepted"


ANSWERS: dict[str, Callable[[str], str]] = {
    "TestRefMatchingSubdomainPrefix": matches,
    "TestRefMatchingPrefix": matches,
    "TestRewriteReferenceSuccess": rewrites,
    "TestFindRegistry": finds,
    "TestPullSourcesFromReference": sources,
    "TestInvalid*": reads,
    "valid": reads,
}


@pytest.mark.skipif(PEERS is None, reason="the table is not here")
@pytest.mark.parametrize(("table", "case", "expected"), rows())
def test_we_agree(table: str, case: str, expected: str) -> None:
    assert ANSWERS[table](case) == expected


@pytest.mark.skipif(PEERS is None, reason="the table is not here")
@pytest.mark.parametrize(
    "name",
    ["invalid-aliases", "invalid-search", "invalid-short-name-mode", "try-update-cache-invalid"]
    + [f"v1-invalid-{kind}" for kind in ("block", "insecure", "search")],
)
def test_further_invalid_files_are_refused(name: str) -> None:
    assert reads(name) == "refused"
