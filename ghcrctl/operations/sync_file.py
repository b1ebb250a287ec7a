"""Files that say which repositories are synced, in YAML or TOML.

What belongs here: reading them strictly. What does not: what is done (`sync`).
"""

from __future__ import annotations

import difflib
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import GhcrctlError, NotFoundError, UsageError
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.moments import read_moment
from ghcrctl.operations.sync import Job, check_job
from ghcrctl.settings import read_toml
from ghcrctl.store.files import disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    import yaml

    from ghcrctl.oci.reference import Reference

# Bytes: some ten thousand repositories.
_LARGEST = 1024 * 1024
# Lists and tables inside each other; a file has four.
_DEEPEST = 20
_LISTS = ("include", "exclude", "platforms")
_FLAGS = ("delete", "referrers")
_RULES = (*_LISTS, "newer-than", *_FLAGS)
_KEYS = ("from", "to", *_RULES)


def read_jobs(path: Path, parse: Callable[[str], Reference], now: datetime) -> list[Job]:
    """Read the jobs of a file.

    Args:
        path: ends in ``.toml``, or is YAML.
        parse: reads a reference.
        now: aware; what spans are before.

    Raises:
        NotFoundError: there is no such file.
        UsageError: it is malformed, or says what nobody knows.
    """
    data = _read(path)
    _check_keys(data, ("defaults", "sync"), str(path))
    defaults = _mapping(
        {} if data.get("defaults") is None else data["defaults"], f"{path}: `defaults`"
    )
    _check_keys(defaults, _RULES, f"{path}: `defaults`")
    entries = data.get("sync")
    if not isinstance(entries, list) or not entries:
        raise UsageError(
            f"{path} has no list `sync`", hint="each entry has `from` and `to`: see docs/sync.md"
        )
    jobs = []
    for number, entry in enumerate(entries, 1):
        where = f"{path}: entry {number}"
        own = _mapping(entry, where)
        _check_keys(own, _KEYS, where)
        jobs.append(_job({**defaults, **own}, where, parse, now))
    return jobs


def _read(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise NotFoundError(f"no such file: {path}")
    with disk_errors(f"read {path}"), path.open("rb") as file:
        raw = file.read(_LARGEST + 1)
    if len(raw) > _LARGEST:
        raise UsageError(f"{path} is larger than {_LARGEST} bytes")
    return read_toml(raw, path) if path.suffix == ".toml" else _read_yaml(raw, path)


def _read_yaml(raw: bytes, path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        text = raw.decode()
        _check_shape(yaml.parse(text, yaml.SafeLoader), path)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{path} is no valid YAML: {reason}") from None
    return _mapping(data, str(path))


def _check_shape(events: Iterable[yaml.Event], path: Path) -> None:
    """Refuse what would take more memory, or time, than any file of this kind needs."""
    import yaml

    depth = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            raise UsageError(f"{path} has an alias (`*name`), which is not read here")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise UsageError(f"{path} is nested too deeply")


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise UsageError(f"{where} is no table of names and values")
    return value


def _check_keys(data: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in data:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise UsageError(
                f"{where} has an unknown key `{key}`",
                hint=f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}",
            )


def _job(
    data: Mapping[str, Any], where: str, parse: Callable[[str], Reference], now: datetime
) -> Job:
    try:
        job = Job(
            parse(_text(data, "from", where)),
            parse(_text(data, "to", where)),
            include=_texts(data, "include", where),
            exclude=_texts(data, "exclude", where),
            newer_than=_moment(data.get("newer-than"), where, now),
            delete=_flag(data, "delete", where),
            platforms=tuple(map(Platform.parse, _texts(data, "platforms", where))),
            referrers=_flag(data, "referrers", where),
        )
        check_job(job)
    except GhcrctlError as error:
        if where not in error.message:
            error.message = f"{where}: {error.message}"
        raise
    return job


def _text(data: Mapping[str, Any], key: str, where: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{where} has no text `{key}`")
    return value


def _texts(data: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
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


def _flag(data: Mapping[str, Any], key: str, where: str) -> bool:
    value = data.get(key, False)
    if not isinstance(value, bool):
        raise UsageError(f"{where}: `{key}` is neither true nor false")
    return value


def _moment(value: object, where: str, now: datetime) -> datetime | None:
    """Read a moment; YAML and TOML know dates by themselves."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
    if not isinstance(value, str):
        raise UsageError(f"{where}: `newer-than` is neither a span such as 7d nor a date")
    return read_moment(value, now, f"newer-than: {value}")
