"""The schemas of ``--format json`` output, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parents[1] / "docs" / "reference" / "schemas"


def validate(name: str, text: str) -> list[Any]:
    """Check a command's output; return its documents: one, or one per line."""
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    found = documents(text)
    for document in found:
        errors = [
            f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)
        ]
        assert not errors, f"{name}: {errors} in {text}"
    return found


def documents(text: str) -> list[Any]:
    """Parse one document of several lines, or one per line."""
    try:
        return [json.loads(text)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]
