"""Read rule files in YAML or TOML strictly and safely, and take typed values out of them.

The keys themselves are defined in ``sync.config_file``, ``locks.lock_file`` and
``packages.protect_files``.
"""

from __future__ import annotations

import difflib
import stat
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import UsageError
from ghcrctl.operations.common.times import parse_point_in_time
from ghcrctl.operations.common.yaml_rules import read_yaml
from ghcrctl.settings import read_toml
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.input_files import find_input, open_input

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The source of rules given as options, instead of a file name.
COMMAND_LINE = "the command line"
_MAX_RULE_FILE_BYTES = 1024 * 1024  # enough for about ten thousand repositories


def read_rules(path: Path) -> Mapping[str, Any]:
    """Read a rule file: TOML if its name ends in ``.toml``, else YAML.

    Raises:
        NotFoundError: the file does not exist.
        UsageError: the file is malformed, or is not a table.
    """
    raw = read_limited(path, _MAX_RULE_FILE_BYTES)
    if path.suffix == ".toml":
        return read_toml(raw, path)
    return as_mapping(read_yaml(raw, path), str(path))


def read_limited(path: Path, largest: int) -> bytes:
    """Read a file of limited size.

    Raises:
        NotFoundError: the file does not exist.
        UsageError: it is a directory, or larger than the limit.
        StoreError: it cannot be read.
    """
    if stat.S_ISDIR(find_input(path).st_mode):
        raise UsageError(f"cannot read {path}: it is a directory")
    with open_input(path) as file, disk_errors(f"read {path}"):
        raw = file.read(largest + 1)
    if len(raw) > largest:
        raise UsageError(f"cannot read {path}: it is larger than {largest} bytes")
    return raw


def as_mapping(value: object, where: str) -> Mapping[str, Any]:
    """Return a table; raise UsageError for any other value."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise UsageError(f"{where}: expected a table of names and values")
    return value


def check_keys(data: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    """Raise UsageError for an unknown key, with the closest known key as hint."""
    for key in data:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise UsageError(
                f"{where} has an unknown key `{key}`",
                hint=f"did you mean `{near[0]}`?" if near else f"known keys:  {', '.join(known)}",
            )


def as_text(data: Mapping[str, Any], key: str, where: str) -> str:
    """Return a required, non-empty text."""
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{where}: `{key}` is missing or not a text")
    return value


def as_texts(data: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    """Return a list of strings; a single string counts as a list, and an empty list is an error."""
    values = data.get(key, [])
    if isinstance(values, str):
        values = [values]
    if not isinstance(values, list) or (key in data and not values):
        raise UsageError(f"{where}: invalid `{key}`: expected a text or a list of texts")
    for value in values:
        if not isinstance(value, str):
            raise UsageError(
                f"{where}: invalid `{value}` in `{key}`: expected a text",
                hint=f'put it in quotes: "{value}"',
            )
    return tuple(values)


def as_flag(data: Mapping[str, Any], key: str, where: str) -> bool:
    """Return a boolean; false if the key is missing."""
    value = data.get(key, False)
    if not isinstance(value, bool):
        raise UsageError(f"{where}: invalid `{key}`: expected true or false")
    return value


def as_time(data: Mapping[str, Any], key: str, where: str, now: datetime) -> datetime | None:
    """Return a time, or ``None`` if the key is missing; YAML and TOML have dates of their own.

    Raises:
        UsageError: the text is not a time, or is a number without a unit.
    """
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
    if isinstance(value, timedelta):
        return now - value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(f"{where}: invalid `{key}`: expected a duration such as 7d, or a date")
    return parse_point_in_time(str(value), now, shown_rule(key, value, where))


def shown_rule(key: str, value: object, where: str) -> str:
    """Return a rule as the user wrote it, for errors."""
    return f"--{key} {value}" if where == COMMAND_LINE else f"{key}: {value}"
