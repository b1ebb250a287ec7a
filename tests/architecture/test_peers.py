"""On a bare machine, tests that need a program say how to get it, and CI installs them all."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import ROOT, modules, parsed, rule_for
from tests.integration import peers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STARTING = {"run", "Popen", "check_output", "check_call", "call"}
# Programs of Debian's essential packages, and `mount`, whose package is required.
_EVERYWHERE = {"sh", "tar", "umount"}
# What `apt-get install python3 python3-venv make git` brings, and what is in every Debian.
_BARE = {"apt", "bash", "coreutils", "git", "gzip", "tar", "util-linux"}

# Benchmarks are excluded: they use whichever clients are installed.
_TESTS = [path for path in modules("tests") if "bench" not in path.parts]

each_test_module = rule_for(_TESTS)


def _calls(path: Path, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else ""
            if (function.id if isinstance(function, ast.Name) else name) in names:
                yield node


@each_test_module
def test_a_program_that_a_bare_machine_lacks_is_required_first(path: Path) -> None:
    started = {
        str(call.args[0].elts[0].value)
        for call in _calls(path, _STARTING)
        if call.args
        and isinstance(call.args[0], ast.List)
        and call.args[0].elts
        and isinstance(call.args[0].elts[0], ast.Constant)
    }
    assert started <= _EVERYWHERE, "find it with require_peer, which skips the test without it"


def _required() -> set[str]:
    """Return the Debian packages of all programs that tests require by name."""
    names = {
        str(call.args[0].value)
        for path in _TESTS
        for call in _calls(path, {"require_peer", "run_peer"})
        if call.args and isinstance(call.args[0], ast.Constant)
    }
    return {peers.PACKAGES.get(name, name) for name in names}


def test_ci_installs_every_program_that_a_test_requires() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    installed = re.search(r"^peers=\((.*?)^\)", script, re.MULTILINE | re.DOTALL)
    assert installed
    # The script adds npm if it is missing.
    assert _required() - _BARE <= {*installed[1].split(), "npm"}


def test_a_missing_program_skips_the_test_and_says_how_to_get_it(
    bare_path: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del bare_path
    monkeypatch.delenv("REQUIRE_PEERS", raising=False)
    for name, package in (("zstd", "zstd"), ("man", "man-db"), ("dockerd", "docker.io")):
        with pytest.raises(pytest.skip.Exception, match=rf"apt-get install {package}$"):
            peers.require_peer(name)


def test_a_missing_program_fails_where_all_are_required(
    bare_path: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del bare_path
    monkeypatch.setenv("REQUIRE_PEERS", "1")
    with pytest.raises(pytest.fail.Exception, match=r"apt-get install zstd$"):
        peers.require_peer("zstd")


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any program."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(peers, "_PREFERRED", ())


def test_a_slow_fixture_prints_no_stacks(pytestconfig: pytest.Config) -> None:
    assert not float(pytestconfig.getini("faulthandler_timeout") or 0)
