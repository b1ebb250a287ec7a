"""Files of rules that people write, in YAML or TOML.

What belongs here: reading them strictly and safely, and taking typed values out of them. What does
not: which keys there are (`sync_file`, `lock_file`, `packages.policy_file`).
"""

from __future__ import annotations

import difflib
import stat
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import UsageError
from ghcrctl.operations.common.times import read_moment
from ghcrctl.operations.common.yaml_rules import read_yaml
from ghcrctl.settings import read_toml
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.input_files import find_input, open_input

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Where rules stand that were given as options.
COMMAND_LINE = "the command line"
# Bytes: some ten thousand repositories.
_LARGEST = 1024 * 1024


def read_rules(path: Path) -> Mapping[str, Any]:
    """Read a file that ends in ``.toml``, or is YAML.

    Raises:
        NotFoundError: there is no such file.
        UsageError: it is malformed, or of a shape that no file of rules has.
    """
    raw = read_limited(path, _LARGEST)
    if path.suffix == ".toml":
        return read_toml(raw, path)
    return as_mapping(read_yaml(raw, path), str(path))


def read_limited(path: Path, largest: int) -> bytes:
    """Read a file of limited size.

    Raises:
        NotFoundError: there is no such file.
        UsageError: it is a directory, or larger than any of its kind needs to be.
        StoreError: it cannot be read.
    """
    if stat.S_ISDIR(find_input(path).st_mode):
        raise UsageError(f"cannot read {path}: it is a directory")
    with open_input(path) as file, disk_errors(f"read {path}"):
        raw = file.read(largest + 1)
    if len(raw) > largest:
        raise UsageError(f"{path} is larger than {largest} bytes")
    return raw


def as_mapping(value: object, where: str) -> Mapping[str, Any]:
    """Return a table; UsageError for anything else."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise UsageError(f"{where} is no table of names and values")
    return value


def check_keys(data: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    """Find out whether every key is known; UsageError names what may have been meant."""
    for key in data:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise UsageError(
                f"{where} has an unknown key `{key}`",
                hint=f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}",
            )


def as_text(data: Mapping[str, Any], key: str, where: str) -> str:
    """Return a text that must be there."""
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{where} has no text `{key}`")
    return value


def as_texts(data: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    """Return a list of texts, or a text as a list; an empty one is a mistake."""
    values = data.get(key, [])
    if isinstance(values, str):
        values = [values]
    if not isinstance(values, list) or (key in data and not values):
        raise UsageError(f"{where}: `{key}` is no text and no list of texts")
    for value in values:
        if not isinstance(value, str):
            raise UsageError(
                f"{where}: `{value}` in `{key}` is no text", hint=f'write it in quotes: "{value}"'
            )
    return tuple(values)


def as_flag(data: Mapping[str, Any], key: str, where: str) -> bool:
    """Return a truth value; false where it is not there."""
    value = data.get(key, False)
    if not isinstance(value, bool):
        raise UsageError(f"{where}: `{key}` is neither true nor false")
    return value


def as_moment(data: Mapping[str, Any], key: str, where: str, now: datetime) -> datetime | None:
    """Return a time, if one is given; YAML and TOML have dates of their own.

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
    return read_moment(str(value), now, shown_rule(key, value, where))


def shown_rule(key: str, value: object, where: str) -> str:
    """Return a rule as the user wrote it, for errors."""
    return f"--{key} {value}" if where == COMMAND_LINE else f"{key}: {value}"
