"""Generate a JSON Schema (draft 2020-12) per command, and their page, from ``documents.txt``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_SOURCE = Path(__file__).with_name("documents.txt")
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SIMPLE: Mapping[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
    "digest": {"type": "string", "pattern": "^[a-z0-9]+:[0-9a-f]{32,}$"},
    "time": {"type": "string", "format": "date-time"},
    "map": {"type": "object", "additionalProperties": {"type": "string"}},
    "integer|string": {"type": ["integer", "string"]},
}
_PRINTS = {"object": "one object", "list": "one list", "lines": "an object per line"}


@dataclass(slots=True)
class Document:
    """The output of one command, or an object in it.

    Args:
        name: the command with dashes for spaces, and an option after a colon.
        kind: ``object``, ``list``, ``lines`` or ``part``.
        title: its description.
        is_open: whether additional fields are allowed.
        fields: type and meaning by name.
    """

    name: str
    kind: str
    title: str
    is_open: bool = False
    fields: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """The command line: ``images --tree``."""
        command, _, form = self.name.partition(":")
        for group in ("manifest", "artifact", "packages", "lock"):
            command = command.replace(f"{group}-", f"{group} ")
        return f"{command} --{form}" if form else command

    @property
    def file(self) -> str:
        """The file name of the schema."""
        return f"{self.name.replace(':', '-')}.json"


def documents() -> dict[str, Document]:
    """Read all documents and parts, by name."""
    found: dict[str, Document] = {}
    for line in _SOURCE.read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            _add_field(found, list(found.values())[-1], line.strip())
        elif line and not line.startswith("#"):
            name, kind, title = line.split(" ", 2)
            is_open = title.startswith("open ")
            found[name] = Document(name, kind, title.removeprefix("open "), is_open)
    return found


def _add_field(found: Mapping[str, Document], document: Document, line: str) -> None:
    if line.startswith("+ "):
        document.fields.update(found[line[2:]].fields)
        return
    name, rest = line.split(" ", 1)
    kind, meaning = rest.split(": ", 1)
    document.fields[name] = (kind, meaning)


def schemas() -> dict[str, str]:
    """Return the text of every schema, by the name of its file."""
    found = documents()
    return {
        document.file: json.dumps(_schema(document, found), indent=2) + "\n"
        for document in found.values()
        if document.kind != "part"
    }


def _schema(document: Document, found: Mapping[str, Document]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    item = _object(document, found, parts)
    head = {"$schema": _DRAFT, "title": f"ghcrctl {document.command}"}
    if document.command in {"error", "warning"}:
        head["title"] = f"ghcrctl's {document.command}"
    body = {"type": "array", "items": item} if document.kind == "list" else item
    if document.name == "manifest-inspect:verbose":
        body = {"anyOf": [body, item]}
    return {
        **head,
        "description": document.title,
        **body,
        **({"$defs": dict(sorted(parts.items()))} if parts else {}),
    }


def _object(
    document: Document, found: Mapping[str, Document], parts: dict[str, Any]
) -> dict[str, Any]:
    """Return the schema of an object, and add the definitions it refers to to ``parts``."""
    return {
        "type": "object",
        "properties": {
            name: {**_type(kind.rstrip("*"), found, parts), "description": meaning}
            for name, (kind, meaning) in document.fields.items()
        },
        "required": [name for name, (kind, _) in document.fields.items() if kind[-1] != "*"],
        "additionalProperties": document.is_open,
    }


def _type(kind: str, found: Mapping[str, Document], parts: dict[str, Any]) -> dict[str, Any]:
    if kind.endswith("?"):
        return {"anyOf": [_type(kind[:-1], found, parts), {"type": "null"}]}
    if kind.startswith("["):
        return {"type": "array", "items": _type(kind[1:-1], found, parts)}
    if kind in _SIMPLE:
        return dict(_SIMPLE[kind])
    if "|" in kind:
        return {"enum": kind.split("|")}
    if kind not in parts:
        # Registered before its fields are read, because it may refer to itself.
        parts[kind] = {}
        described = _object(found[kind], found, parts)
        parts[kind] = {"description": found[kind].title, **described}
    return {"$ref": f"#/$defs/{kind}"}


def table() -> str:
    """Return the table of all documents."""
    rows = (
        f"| `{document.command}` | {_PRINTS[document.kind]} | {document.title} "
        f"| [{document.file}](schemas/{document.file}) |\n"
        for document in documents().values()
        if document.kind != "part" and document.command not in {"error", "warning"}
    )
    return "| command | prints | description | schema |\n|---|---|---|---|\n" + "".join(rows)


def page() -> str:
    """Return the page about JSON: the text of ``json.txt`` with the table."""
    prose = _SOURCE.with_name("json.txt").read_text(encoding="utf-8")
    return prose.replace("TABLE\n", table())
