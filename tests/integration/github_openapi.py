"""GitHub's OpenAPI 3.0 description, reduced to the operations that ghcrctl uses.

The description is part of an npm package of 29 MB; it is got once and never committed.
"""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from tests.integration.peers import do_without, require_peer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = "@octokit/openapi@23.0.2"
_MEMBER = "package/generated/api.github.com.json"
_FOLDER = Path(__file__).parents[2] / "build" / "github-openapi"
_KEPT = re.compile(
    r".*/packages(/.*)?|/user|/users/\{username\}|/rate_limit"
    r"|/repos/\{owner\}/\{repo\}/(pulls|branches)"
)
# These are not needed, and the examples of containers are wrong: they show other package types.
_UNUSED = {"description", "example", "examples", "externalDocs", "summary", "title"}


def get_description() -> dict[str, Any]:
    """Return the description of package operations, which is fetched once."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    # Each version and each extract is a separate file.
    cut_of = zlib.crc32(_KEPT.pattern.encode())
    path = _FOLDER / f"{PACKAGE.rpartition('@')[2]}-{cut_of:08x}.json"
    with FileLock(_FOLDER / "lock"):
        if not path.exists():
            _fetch(path)
    description: dict[str, Any] = fixed_description(json.loads(path.read_bytes()))
    return description


def _fetch(path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=_FOLDER) as folder:
        _pack(folder)
        archive = next(Path(folder).glob("*.tgz"))
        with tarfile.open(archive) as tar:
            member = tar.extractfile(_MEMBER)
            assert member is not None, f"{PACKAGE} has no {_MEMBER}"
            whole = json.load(member)
        aside = Path(folder) / "cut.json"
        aside.write_text(json.dumps(cut(whole)), encoding="utf-8")
        aside.replace(path)


def _pack(folder: str) -> None:
    """Download the package into a folder with npm, which knows the registry."""
    # Fail soon without a network.
    patience = [
        "--fetch-retries=2",
        "--fetch-retry-mintimeout=500",
        "--fetch-retry-maxtimeout=3000",
    ]
    done = subprocess.run(
        [
            require_peer("npm"),
            "pack",
            PACKAGE,
            "--loglevel=error",
            f"--cache={folder}/cache",
            *patience,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode != 0:
        output = " ".join(done.stderr.splitlines()[:3])
        do_without(
            f"a network is missing, or its registry: npm pack {PACKAGE} says: {output[:500]}"
        )


def cut(whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return the package operations with all referenced components."""
    part: dict[str, Any] = {
        "paths": {path: item for path, item in whole["paths"].items() if _KEPT.fullmatch(path)},
        "components": {},
    }
    part["paths"] = _without_words(part["paths"])
    waiting = set(_references(part))
    while waiting:
        _, _, kind, name = (reference := waiting.pop()).split("/")
        found = part["components"].setdefault(kind, {})
        if name not in found:
            found[name] = _without_words(whole["components"][kind][name])
            waiting |= set(_references(found[name])) - {reference}
    return part


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict) and isinstance(node.get("$ref"), str):
        yield node["$ref"]
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for value in inner:
        yield from _references(value)


def _without_words(node: Any, *, named: bool = False) -> Any:
    """Remove what no check needs; with ``named``, the keys are names defined by GitHub."""
    if isinstance(node, list):
        return [_without_words(value) for value in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_words(value, named=key == "properties" and not named)
        for key, value in node.items()
        if named or not (key in _UNUSED or key.startswith("x-"))
    }


def fixed_description(description: Any) -> Any:
    """Convert an OpenAPI schema to JSON Schema, and add what the description omits."""
    found: Any = _with_null(description)
    # Organizations of enterprises have it, but the description lists it only as a filter.
    found["components"]["schemas"]["package"]["properties"]["visibility"]["enum"].append("internal")
    return found


def _with_null(node: Any) -> Any:
    """Convert ``nullable`` (OpenAPI 3.0.3, "Schema Object") to a type that may be null."""
    if isinstance(node, list):
        return [_with_null(value) for value in node]
    if not isinstance(node, dict):
        return node
    found = {key: _with_null(value) for key, value in node.items()}
    if found.get("nullable") is not True:
        return found
    del found["nullable"]
    return {"anyOf": [found, {"type": "null"}]}
