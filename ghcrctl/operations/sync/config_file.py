"""Read files that configure which repositories are synced, in YAML or TOML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.errors import GhcrctlError, UsageError
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.rule_file import (
    as_flag,
    as_mapping,
    as_text,
    as_texts,
    as_time,
    check_keys,
    read_rules,
)
from ghcrctl.operations.sync.plan import Job, check_job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from ghcrctl.oci.reference import Reference

_LISTS = ("include", "exclude", "platforms")
_FLAGS = ("delete", "referrers")
_RULES = (*_LISTS, "newer-than", *_FLAGS)
_KEYS = ("from", "to", *_RULES)


def read_jobs(path: Path, parse: Callable[[str], Reference], now: datetime) -> list[Job]:
    """Read the jobs of a file.

    Args:
        path: the file; TOML if its name ends in ``.toml``, else YAML.
        parse: parses a reference.
        now: the current time, with a time zone; durations count back from it.

    Raises:
        NotFoundError: the file does not exist.
        UsageError: the file is malformed, or has an unknown key.
    """
    data = read_rules(path)
    check_keys(data, ("defaults", "sync"), str(path))
    defaults = as_mapping(
        {} if data.get("defaults") is None else data["defaults"], f"{path}: `defaults`"
    )
    check_keys(defaults, _RULES, f"{path}: `defaults`")
    entries = data.get("sync")
    if not isinstance(entries, list) or not entries:
        raise UsageError(
            f"{path}: `sync` is missing or not a list",
            hint="each entry has `from` and `to`: see `ghcrctl sync --help`",
        )
    jobs = []
    for number, entry in enumerate(entries, 1):
        where = f"{path}: entry {number}"
        own = as_mapping(entry, where)
        check_keys(own, _KEYS, where)
        jobs.append(_job({**defaults, **own}, where, parse, now))
    return jobs


def _job(
    data: Mapping[str, Any], where: str, parse: Callable[[str], Reference], now: datetime
) -> Job:
    try:
        job = Job(
            parse(as_text(data, "from", where)),
            parse(as_text(data, "to", where)),
            include=as_texts(data, "include", where),
            exclude=as_texts(data, "exclude", where),
            newer_than=as_time(data, "newer-than", where, now),
            delete=as_flag(data, "delete", where),
            platforms=tuple(map(Platform.parse, as_texts(data, "platforms", where))),
            referrers=as_flag(data, "referrers", where),
        )
        check_job(job)
    except GhcrctlError as error:
        if where not in error.message:
            error.message = f"{where}: {error.message}"
        raise
    return job
