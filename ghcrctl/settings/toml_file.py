"""Reads TOML files, with readable errors for duplicate keys."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidSettingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The messages of Python's parser for a duplicate key.
_TWICE = re.compile(
    r"Cannot overwrite a value|Cannot declare \((?P<declared>.*?),?\) twice"
    r"|Cannot mutate immutable namespace \((?P<namespace>.*?),?\)"
    r"|Duplicate inline table key '(?P<inline>.*)'"
)
_LINE = re.compile(r"\(at line (\d+), ")
_WORD = r"""(?:[\w-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_WORD}(?:\s*\.\s*{_WORD})*"
_KEY = re.compile(rf"\s*(?:({_DOTTED})\s*=|\[{{1,2}}\s*({_DOTTED})\s*\])")


def read_toml(raw: bytes, path: Path) -> Mapping[str, object]:
    """Read a TOML file, with or without a byte order mark.

    Raises:
        InvalidSettingError: the file is not valid TOML.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        text = raw.decode("utf-8-sig")
        data: dict[str, object] = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise InvalidSettingError(f"invalid TOML file {path}: {error}") from None
    except ValueError as error:
        reason = _duplicate(text, str(error)) or error
        raise InvalidSettingError(f"invalid TOML file {path}: {reason}") from None
    except RecursionError:
        raise InvalidSettingError(f"invalid TOML file {path}: nested too deeply") from None
    return data


def _duplicate(text: str, reason: str) -> str:
    """Return the duplicate key and its line; an empty string for other errors."""
    match = _TWICE.match(reason)
    if not match:
        return ""
    lines = text.splitlines() or [""]
    at = _LINE.search(reason)
    number = int(at[1]) if at else len(lines)
    # The parser reports the line after the value, which may span multiple lines.
    found = ((n, _KEY.match(lines[n - 1])) for n in range(number, 0, -1))
    line, key = next(((n, key[1] or key[2]) for n, key in found if key), (number, ""))
    named = match["declared"] or match["namespace"] or match["inline"]
    name = named.replace("'", "").replace(", ", ".") if named else key.strip("\"'")
    return f"duplicate key `{name}` on line {line}"
